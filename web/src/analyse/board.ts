/** The questions of the board and their answers as tables; pure but for the asking. */
import type { QueryResult } from '../api/types'
import { fullHour, midnight, wall } from '../city/time'
import type { Period } from './five'
import { iso } from './five'
import { labelOf, METRIC, query, rows, type Row } from './query'

export type PeriodId = 'today' | 'week' | 'month' | 'all'
export const PERIODS: readonly PeriodId[] = ['today', 'week', 'month', 'all']
const DAY = 86_400_000

export function isPeriod(text: string): text is PeriodId {
  return (PERIODS as readonly string[]).includes(text)
}

/** From the city's midnight so many days ago to the coming minute. */
export function periodOf(id: PeriodId, now: number, zone: string): Period {
  if (id === 'all') return { start: null, end: null }
  const today = midnight(now, zone)
  const back = id === 'today' ? 0 : id === 'week' ? 6 : 29
  return { start: midnight(today - back * DAY + DAY / 2, zone), end: Math.floor(now / 60_000) * 60_000 + 60_000 }
}

/** Hours for a day, days for longer: few enough bars to read, enough to see a shape. */
export function grainOf(id: PeriodId): 'hour' | 'day' {
  return id === 'today' ? 'hour' : 'day'
}

/** All steps between the first and the last, so that a quiet hour is drawn as quiet. */
export function timeSteps(period: Period, grain: 'hour' | 'day', seen: readonly number[], zone: string): number[] {
  const first = period.start ?? Math.min(...seen)
  const last = Math.max((period.end ?? 0) - 1, ...seen)
  if (!Number.isFinite(first) || !Number.isFinite(last)) return []
  const made: number[] = []
  let at = grain === 'day' ? midnight(first, zone) : fullHour(first, zone)
  while (at <= last && made.length < 500) {
    made.push(at)
    at = grain === 'day' ? midnight(at + DAY * 1.5, zone) : at + 3_600_000
  }
  return made
}

export function stepLabel(at: number, grain: 'hour' | 'day', zone: string): string {
  const w = wall(at, zone)
  return grain === 'hour' ? `${w.hour}:00` : `${w.month}-${w.day}`
}

export interface Answers {
  flow: QueryResult
  onTime: QueryResult
  median: QueryResult
  warnings: QueryResult
}

export async function askBoard(period: Period, grain: 'hour' | 'day'): Promise<Answers> {
  const range = { start: iso(period.start) ?? null, end: iso(period.end) ?? null }
  const [flow, onTime, median, warnings] = await Promise.all([
    query({ ...range, metrics: [METRIC.opened, METRIC.closed], grain }),
    query({ ...range, metrics: [METRIC.onTime, METRIC.closed], dimensions: ['department'] }),
    query({ ...range, metrics: [METRIC.median, METRIC.closed], dimensions: ['matter_class'] }),
    query({ ...range, metrics: [METRIC.warnings], dimensions: ['level'], grain }),
  ])
  return { flow, onTime, median, warnings }
}

export interface Bar {
  id: string
  title: { zh: string; en: string }
  value: number | null
  count: number
}

/** One bar a dimension value; undefined values sink to the end. */
export function barsOf(result: QueryResult, dimension: string, metric: string): Bar[] {
  const made = rows(result)
    .filter((row) => row.dims[dimension])
    .map((row: Row) => {
      const id = row.dims[dimension] as string
      return { id, title: labelOf(result, dimension, id), value: row.metrics[metric]?.value ?? null, count: row.metrics[METRIC.closed]?.value ?? 0 }
    })
  return made.sort((a, b) => (b.value ?? -1) - (a.value ?? -1) || b.count - a.count)
}
