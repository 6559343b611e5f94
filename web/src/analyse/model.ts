/** The semantic model: read once, used by every screen with figures. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Metric } from '../api/types'
import type { Dimension } from './explore'

export const useModel = defineStore('model', () => {
  const metrics = shallowRef<Metric[]>([])
  const dimensions = shallowRef<Dimension[]>([])

  async function load(): Promise<void> {
    if (metrics.value.length) return
    const model = await ask(api.GET('/api/v1/model'))
    dimensions.value = model.dimensions as Dimension[]
    metrics.value = model.metrics as Metric[]
  }

  return { metrics, dimensions, load }
})
