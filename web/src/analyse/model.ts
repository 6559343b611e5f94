/** The semantic model: read once, used by every screen with figures. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Metric } from '../api/types'

export const useModel = defineStore('model', () => {
  const metrics = shallowRef<Metric[]>([])

  async function load(): Promise<void> {
    if (!metrics.value.length) metrics.value = (await ask(api.GET('/api/v1/model'))).metrics
  }

  return { metrics, load }
})
