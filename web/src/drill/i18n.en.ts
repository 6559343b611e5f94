import type { Same } from '../i18n/same'
import type { zh } from './i18n.zh-CN'

export const en: Same<typeof zh> = {
  drill: {
    title: 'Drill actors',
    open: 'Drill',
    note: 'Drill actors work on cases through the same interface as people. Switch one off and its work is left to you: sign in at that post and go on.',
    moves: '{n} moves made',
    on: 'at work',
    off: 'switched off',
    empty: 'No drill is running',
    refused: 'Your post may not switch drill actors',
    allOn: 'All on',
    allOff: 'All off',
    summary: '{on} of {all} at work',
  },
}
