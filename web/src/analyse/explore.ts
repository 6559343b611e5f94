/** A question to the model as the address holds it, its next step down, and its answer as a file. */
import { queryString } from '../api/client'
import { problemFrom } from '../api/problem'
import type { QueryRequest, Schemas } from '../api/types'
import { saveFile } from '../shared/saveFile'

export type Grain = NonNullable<QueryRequest['grain']>
export type Filter = QueryRequest['filters'][number]
export type Dimension = Schemas['DimensionView']
export type Metric = Schemas['MetricView']
export type Chart = Schemas['Chart']
export type Drawn = Schemas['Drawn']
export type FileFormat = 'csv' | 'xlsx' | 'parquet'

export const GRAINS: readonly Grain[] = ['hour', 'day', 'week', 'month', 'quarter', 'year']
export const DERIVED = ['share', 'rank', 'cumulative', 'moving_average', 'change', 'change_rate'] as const
export const CALENDAR = ['working_days', 'rest_days', 'holidays', 'morning_peak', 'evening_peak'] as const
const MINUTE = 60_000

export interface Wanted {
  metrics: string[]
  by: string[]
  grain: Grain | ''
  from: string
  to: string
  compare: 'none' | 'previous' | 'year'
  derive: string
  calendar: string[]
  filters: Filter[]
}

/** Filters as one word of an address: `district:in:440304|440305;channel:empty:`. */
export function filterText(filters: readonly Filter[]): string {
  return filters.map((one) => [one.dimension, one.op, one.values.map(encodeURIComponent).join('|')].join(':')).join(';')
}

/** The filters of such a word; what is none is left out. */
export function filtersOf(text: string): Filter[] {
  return text.split(';').flatMap((part) => {
    const [dimension, op, values] = part.split(':')
    if (!dimension || !op) return []
    return [{ dimension, op: op as Filter['op'], values: (values ?? '').split('|').filter(Boolean).map(decodeURIComponent) }]
  })
}

/** The typed query. An open end is now where something is compared with it. */
export function requestOf(wanted: Wanted, now: number): QueryRequest {
  const end = wanted.to || (wanted.compare === 'none' ? null : new Date(Math.ceil(now / MINUTE) * MINUTE).toISOString())
  return {
    metrics: wanted.metrics,
    dimensions: wanted.by,
    filters: wanted.filters,
    grain: wanted.grain || null,
    start: wanted.from || null,
    end,
    calendar: wanted.calendar as QueryRequest['calendar'],
    compare: wanted.from ? wanted.compare : 'none',
    derive: wanted.derive ? wanted.metrics.map((metric) => derived(metric, wanted)) : [],
    having: [],
    order: [],
    limit: 1000,
  }
}

function derived(metric: string, wanted: Wanted): QueryRequest['derive'][number] {
  const how = wanted.derive as (typeof DERIVED)[number]
  const inTime = how.startsWith('change') && wanted.compare === 'none'
  return { metric, as: how, over: inTime ? 'time' : null }
}

/** By what every one of the metrics can be cut, time aside. */
export function cuts(metrics: readonly Metric[], dimensions: readonly Dimension[]): Dimension[] {
  return dimensions.filter((one) => one.kind !== 'time' && metrics.length > 0 && metrics.every((metric) => metric.dimensions.includes(one.id)))
}

/** One step down: a value becomes a filter, and what lies below it, or is still unused, the next cut. */
export function drilled(wanted: Wanted, dimension: string, value: string, able: readonly Dimension[]): Partial<Wanted> {
  const filters = [...wanted.filters.filter((one) => one.dimension !== dimension), { dimension, op: 'in' as const, values: [value] }]
  const used = new Set([...filters.map((one) => one.dimension), ...wanted.by])
  const kind = able.find((one) => one.id === dimension)?.kind
  const below = able.find((one) => !used.has(one.id) && one.kind === kind && kind === 'area') ?? able.find((one) => !used.has(one.id) && one.kind === 'text')
  const by = wanted.by.filter((one) => one !== dimension)
  return { filters, by: by.length || !below ? by : [below.id] }
}

/** One step down in time: the span of a point, in finer grains. */
export function zoomed(wanted: Wanted, start: string, next: string | undefined): Partial<Wanted> {
  const finer: Record<string, Grain> = { year: 'month', quarter: 'month', month: 'day', week: 'day', day: 'hour', hour: 'hour' }
  const spans: Record<string, number> = { year: 366, quarter: 92, month: 31, week: 7, day: 1, hour: 1 / 24 }
  const end = next ?? new Date(Date.parse(start) + (spans[wanted.grain || 'day'] ?? 1) * 86_400_000).toISOString()
  return { from: start, to: end, grain: finer[wanted.grain || 'day'] ?? 'hour' }
}

/** Fetch an answer as a file and hand it to the visitor. */
export async function saveAnswer(path: string, body: unknown, form: FileFormat, language: string): Promise<void> {
  const response = await fetch(`/api/v1/${path}${queryString({ format: form, language })}`, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw problemFrom(response.status, await response.json())
  saveFile(`${path.split('/')[0]}.${form}`, await response.blob(), response.headers.get('content-type') ?? '')
}
