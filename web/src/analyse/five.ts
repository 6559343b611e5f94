/** The five metrics of a period with the period before, and the list that each figure leads to. */
import type { RouteLocationRaw } from 'vue-router'

import type { Metric, QueryResult } from '../api/types'
import { change, type Change, type Figure, figure, type Format } from './format'
import { METRIC, type MetricId, query, rows } from './query'

export interface Period {
  start: number | null
  end: number | null
}

export interface Tile {
  id: MetricId
  title: { zh: string; en: string }
  figure: Figure
  change: Change | null
  to: RouteLocationRaw
}

type Say = (key: string, named: Record<string, unknown>) => string

const IDS = Object.values(METRIC)

export function iso(at: number | null): string | undefined {
  return at === null ? undefined : new Date(at).toISOString()
}

/** The list behind a metric, under the same filter. */
export function listOf(id: MetricId, period: Period, more: Record<string, string> = {}): RouteLocationRaw {
  const from = iso(period.start)
  const to = iso(period.end)
  if (id === METRIC.warnings) return { name: 'warnings', query: { start: from, end: to, ...more } }
  if (id === METRIC.opened) return { name: 'cases', query: { opened_from: from, opened_to: to, ...more } }
  const closed = { closed_from: from, closed_to: to, ...more }
  if (id === METRIC.onTime) return { name: 'cases', query: { ...closed, on_time: 'false' } }
  return { name: 'cases', query: { sort: '-closed_at', ...(from ? closed : { open: 'false', ...more }) } }
}

export async function askFive(period: Period): Promise<QueryResult> {
  const compare = period.start === null ? 'none' : 'previous'
  return query({ metrics: [...IDS], start: iso(period.start) ?? null, end: iso(period.end) ?? null, compare })
}

/** Tiles from an answer; `metrics` of the model say which direction is good. */
export function tiles(result: QueryResult, metrics: readonly Metric[], period: Period, say: Say): Tile[] {
  const row = rows(result)[0]
  return IDS.map((id) => {
    const column = result.columns.find((c) => c.id === id)
    const metric = metrics.find((m) => m.id === id)
    const format = (column?.format ?? metric?.format ?? 'integer') as Format
    const cell = row?.metrics[id] ?? { value: null, previous: null }
    return {
      id,
      title: column?.title ?? metric?.title ?? { zh: id, en: id },
      figure: figure(cell.value, format, say),
      change: change(cell.value, cell.previous, format, metric?.higher_is_better ?? null),
      to: listOf(id, period),
    }
  })
}
