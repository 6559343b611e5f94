/** Who is signed in, and what this actor may do. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

import { api, ask } from '../api/client'
import { Problem } from '../api/problem'
import type { Session } from '../api/types'

export const useSession = defineStore('session', () => {
  const session = shallowRef<Session | null>(null)
  const actor = computed(() => session.value?.actor ?? null)

  function may(permission: string): boolean {
    return session.value?.permissions.includes(permission) ?? false
  }

  /** Whether anything of this kind is shown to this actor at all. */
  function sees(entity: string): boolean {
    return session.value?.sees.includes(entity) ?? false
  }

  /** Ask the server who we are; nobody is an answer, not an error. */
  async function restore(): Promise<boolean> {
    try {
      session.value = await ask(api.GET('/api/v1/session'))
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error
      session.value = null
    }
    return session.value !== null
  }

  async function signIn(account: string, password: string): Promise<void> {
    session.value = await ask(api.POST('/api/v1/session', { body: { account, password } }))
  }

  /** Another password in the place of the old one, which may be the one for the first sign-in. */
  async function changePassword(account: string, password: string, own: string): Promise<void> {
    session.value = await ask(api.POST('/api/v1/session/password', { body: { account, password, new_password: own } }))
  }

  async function takePost(account: string): Promise<void> {
    session.value = await ask(api.POST('/api/v1/demo/session', { body: { account } }))
  }

  async function signOut(): Promise<void> {
    try {
      await ask(api.DELETE('/api/v1/session'))
    } finally {
      session.value = null
    }
  }

  return { session, actor, may, sees, restore, signIn, changePassword, takePost, signOut }
})
