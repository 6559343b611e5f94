/** Asking the semantic model, and reading its answers by column role. */
import { api, ask } from '../api/client'
import type { QueryRequest, QueryResult, Title } from '../api/types'

/** The five metrics of the first semantic model. */
export const METRIC = {
  opened: 'cases_opened',
  closed: 'cases_closed',
  onTime: 'on_time_rate',
  median: 'median_handling_time',
  warnings: 'warnings_raised',
} as const

export type MetricId = (typeof METRIC)[keyof typeof METRIC]

const PLAIN = { dimensions: [], filters: [], calendar: [], compare: 'none' as const, derive: [], having: [], order: [], limit: 1000 }

export function query(request: Partial<QueryRequest> & { metrics: string[] }): Promise<QueryResult> {
  const body = { ...PLAIN, ...request }
  return ask(api.POST('/api/v1/query', { body }))
}

export interface Cell {
  value: number | null
  previous: number | null
}

export interface Row {
  time: string | null
  dims: Record<string, string>
  metrics: Record<string, Cell>
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Rows as records. The nth column of role `previous` belongs to the nth metric. */
export function rows(result: QueryResult): Row[] {
  const metrics = result.columns.filter((c) => c.role === 'metric').map((c) => c.id)
  return result.rows.map((line) => {
    const row: Row = { time: null, dims: {}, metrics: Object.fromEntries(metrics.map((m) => [m, { value: null, previous: null }])) }
    let past = 0
    result.columns.forEach((column, i) => {
      const value = line[i]
      if (column.role === 'time') row.time = value === null ? null : String(value)
      else if (column.role === 'dimension') row.dims[column.id] = value === null ? '' : String(value)
      else if (column.role === 'metric') (row.metrics[column.id] as Cell).value = number(value)
      else if (column.role === 'previous') (row.metrics[metrics[past++] as string] as Cell).previous = number(value)
    })
    return row
  })
}

/** The title of a dimension value, or the value itself. */
export function labelOf(result: QueryResult, dimension: string, value: string): Title {
  return result.labels[dimension]?.[value] ?? { zh: value || '—', en: value || '—' }
}

/** `time → value` of one metric, summed over whatever else the rows are split by. */
export function byTime(all: readonly Row[], metric: string): Map<number, number> {
  const sums = new Map<number, number>()
  for (const row of all) {
    if (row.time === null) continue
    const at = Date.parse(row.time)
    sums.set(at, (sums.get(at) ?? 0) + (row.metrics[metric]?.value ?? 0))
  }
  return sums
}
