/** The last 24 hours by the hour: warnings by level and cases opened. Feeds the timeline and the trend. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

import { METRIC, query, rows } from '../analyse/query'
import type { Problem } from '../api/problem'
import type { Level } from '../api/types'
import { useCity } from '../city/city'
import { fullHour } from '../city/time'
import { isLevel } from '../shared/levels'
import { asProblem } from '../shared/useLoad'

const HOUR = 3_600_000
export const HOURS = 24

export interface Hour {
  at: number
  opened: number
  levels: Record<Level, number>
}

export const useHours = defineStore('hours', () => {
  const hours = shallowRef<Hour[]>([])
  const problem = shallowRef<Problem | null>(null)
  const city = useCity()

  async function load(): Promise<void> {
    const end = fullHour(city.now, city.zone) + HOUR
    const start = end - HOURS * HOUR
    const request = { grain: 'hour' as const, start: new Date(start).toISOString(), end: new Date(end).toISOString() }
    try {
      const [warnings, cases] = await Promise.all([
        query({ ...request, metrics: [METRIC.warnings], dimensions: ['level'] }),
        query({ ...request, metrics: [METRIC.opened] }),
      ])
      const made = new Map<number, Hour>()
      for (let at = start; at < end; at += HOUR) made.set(at, { at, opened: 0, levels: { red: 0, orange: 0, yellow: 0, blue: 0 } })
      for (const row of rows(warnings)) {
        const hour = row.time ? made.get(Date.parse(row.time)) : undefined
        const level = row.dims.level ?? ''
        if (hour && isLevel(level)) hour.levels[level] += row.metrics[METRIC.warnings]?.value ?? 0
      }
      for (const row of rows(cases)) {
        const hour = row.time ? made.get(Date.parse(row.time)) : undefined
        if (hour) hour.opened += row.metrics[METRIC.opened]?.value ?? 0
      }
      hours.value = [...made.values()]
      problem.value = null
    } catch (error) {
      problem.value = asProblem(error)
    }
  }

  return { hours, problem, load }
})
