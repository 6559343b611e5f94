/** Evidence as a line to draw, and the stretch of values worth showing. */
import type { Evidence, Level } from '../api/types'

export type Point = [at: number, value: number]

/** Sums and counts are judged by their running total, everything else by the values themselves. */
export function evidenceLine(evidence: Pick<Evidence, 'aggregate' | 'points'>): Point[] {
  let total = 0
  return evidence.points.map(([at, value]) => {
    total += evidence.aggregate === 'count' ? 1 : Number(value)
    return [Date.parse(String(at)), ['sum', 'count'].includes(evidence.aggregate) ? total : Number(value)]
  })
}

/** Aggregates whose thresholds are of another quantity than the values in the window. */
const DERIVED = ['rate', 'change', 'spread']
/** Aggregates whose values in the window are not what was observed. */
const COUNTED = ['anomaly', 'count']

/** Whether thresholds, and the values at a change of level, can stand beside the values in the window. */
export function comparable(aggregate: string): boolean {
  return !DERIVED.includes(aggregate)
}

/** Whether observed values can stand beside the values in the window. */
export function observed(aggregate: string): boolean {
  return !COUNTED.includes(aggregate)
}

/** Which thresholds can carry their label without writing over the one above. */
export function labelled(limits: readonly number[], range: { min: number; max: number }): Set<number> {
  const shown = new Set<number>()
  let last = Infinity
  for (const limit of [...limits].sort((a, b) => b - a)) {
    if (limit < range.min || limit > range.max) continue
    if (last - limit < (range.max - range.min) * 0.09) continue
    shown.add(limit)
    last = limit
  }
  return shown
}

/** From a little under the lowest to a little over the highest; of thresholds out of reach only the next one. */
export function axisRange(values: readonly number[], limits: readonly number[]): { min: number; max: number } {
  const high = Math.max(...values)
  const low = Math.min(...values)
  const above = limits.filter((limit) => limit > high).sort((a, b) => a - b)[0] ?? high
  const below = limits.filter((limit) => limit <= high)
  const bottom = Math.min(low, ...below)
  const room = Math.max(1, Math.max(high, above) - bottom)
  return { min: bottom >= 0 ? Math.max(0, Math.floor(bottom - room * 0.12)) : Math.floor(bottom - room * 0.12), max: Math.ceil(Math.max(high, above) + room * 0.08) }
}

const HOUR = 3_600_000
/** So much is shown before the window at least and at most, and so much after it. */
const BEFORE = { least: 6 * HOUR, most: 72 * HOUR }
const AFTER = 12 * HOUR

/** The stretch that a chart of the warning shows: three windows back, and on until it cleared, or until now. */
export function shownSpan(warning: { evidence: Pick<Evidence, 'window_from' | 'window_to'>; cleared_at: string | null }, now: number): { from: number; to: number } {
  const [begin, end] = [Date.parse(warning.evidence.window_from), Date.parse(warning.evidence.window_to)]
  const before = Math.min(BEFORE.most, Math.max(BEFORE.least, 3 * (end - begin)))
  return { from: begin - before, to: Math.max(end, Math.min(now, Date.parse(warning.cleared_at ?? warning.evidence.window_to) + AFTER)) }
}

export interface LevelStep {
  at: number
  value: number
  level: Level | null
}

/** Where the warning was raised, changed its level, and cleared, with the value that was judged. */
export function changesOf(warning: { history: readonly { what: string; at: string; value: number | null; level: Level | null }[] }): LevelStep[] {
  return warning.history
    .filter((step) => ['raised', 'muted', 'level', 'cleared'].includes(step.what) && step.value !== null)
    .map((step) => ({ at: Date.parse(step.at), value: Number(step.value), level: step.what === 'cleared' ? null : step.level }))
}
