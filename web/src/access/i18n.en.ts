import type { Same } from '../i18n/same'
import type { zh } from './i18n.zh-CN'

export const en: Same<typeof zh> = {
  signIn: {
    citizen: 'Citizens need no account:',
    title: 'Sign in',
    account: 'Account',
    password: 'Password',
    submit: 'Sign in',
    takePost: 'Demo: take a post',
    takePostNote:
      'The demo city asks for no password. Drill actors play the departments; switch one off at any time and do its work yourself.',
    wrong: 'Sign-in failed',
    due: 'This password is for the first sign-in: choose one of your own.',
    own: 'New password (12 characters or more)',
    again: 'The new password again',
    differ: 'The two are not the same',
    change: 'Change password and sign in',
    ended: 'The session has ended. Sign in again to go on where you were.',
    lead: 'From data to warning, from warning to case, from handling to effect: one loop.',
    loading: 'Reading the city',
  },
  actor: { menu: 'Your post', signOut: 'Sign out' },
}
