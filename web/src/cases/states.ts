/** The states of the workflow in force, read once. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { State } from '../api/types'

export const useStates = defineStore('states', () => {
  const states = shallowRef<State[]>([])

  async function load(): Promise<void> {
    if (!states.value.length) states.value = await ask(api.GET('/api/v1/case-states'))
  }

  return { states, load }
})
