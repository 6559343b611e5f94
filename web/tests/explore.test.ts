/** Questions in the address, one step down, and charts from answers. */
import { beforeAll, describe, expect, it, vi } from 'vitest'

import { bodyOf, grid, optionOf, pivoted, type Speech } from '../src/analyse/drawn'
import { type Chart, type Dimension, drilled, filtersOf, filterText, requestOf, type Wanted, zoomed } from '../src/analyse/explore'
import type { QueryResult } from '../src/api/types'

const NOW = Date.parse('2026-03-09T02:00:30Z')
const WANTED: Wanted = { metrics: ['opened'], by: ['district'], grain: '', from: '2026-03-08T16:00:00.000Z', to: '', compare: 'none', derive: '', calendar: [], filters: [] }
const dimension = (id: string, kind: Dimension['kind']): Dimension => ({ id, kind, title: { zh: id, en: id }, synonyms: { zh: [], en: [] }, operations: [] })
const ABLE = [dimension('district', 'area'), dimension('area', 'area'), dimension('channel', 'text')]
const SPEECH: Speech = { say: (title) => title?.zh ?? '', clock: (at) => at.slice(5, 10) }

function result(ids: [string, string, string][], rows: unknown[][]): QueryResult {
  const columns = ids.map(([id, role, format]) => ({ id, role, format, title: { zh: id, en: id }, unit: '', of: '', adds_up: true }))
  return { columns, rows, labels: { district: { '440304': { zh: '福田区', en: 'Futian' } } }, freshness: null, truncated: false, sql: '', scope: [] } as unknown as QueryResult
}

function chart(kind: Chart['kind'], more: Partial<Chart>): Chart {
  return { kind, x: null, y: [], series: null, zero: true, horizontal: false, why: { zh: '', en: '' }, alternatives: [], ...more }
}

beforeAll(() => {
  vi.stubGlobal('document', { documentElement: {} })
  vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue: () => '#000' }))
})

describe('a question in the address', () => {
  it('keeps its conditions, whatever signs their values have', () => {
    const filters = [{ dimension: 'channel', op: 'in' as const, values: ['a;b:c|d', '热线'] }, { dimension: 'series', op: 'empty' as const, values: [] }]
    expect(filtersOf(filterText(filters))).toEqual(filters)
    expect(filtersOf('')).toEqual([])
  })

  it('has an end only where something is compared with it', () => {
    expect(requestOf(WANTED, NOW).end).toBeNull()
    expect(requestOf({ ...WANTED, compare: 'previous' }, NOW).end).toBe('2026-03-09T02:01:00.000Z')
    expect(requestOf({ ...WANTED, compare: 'previous', from: '' }, NOW).compare).toBe('none')
  })

  it('derives a change against the compared period, else in time', () => {
    expect(requestOf({ ...WANTED, derive: 'change' }, NOW).derive).toEqual([{ metric: 'opened', as: 'change', over: 'time' }])
    expect(requestOf({ ...WANTED, derive: 'change', compare: 'year' }, NOW).derive[0]?.over).toBeNull()
  })
})

describe('one step down', () => {
  it('goes from a district to its cells, then to what is unused', () => {
    const first = drilled(WANTED, 'district', '440304', ABLE)
    expect(first).toEqual({ filters: [{ dimension: 'district', op: 'in', values: ['440304'] }], by: ['area'] })
    expect(drilled({ ...WANTED, ...first }, 'area', '440304000000001', ABLE).by).toEqual(['channel'])
  })

  it('goes from a month to its days', () => {
    const month = zoomed({ ...WANTED, grain: 'month' }, '2026-02-28T16:00:00Z', '2026-03-31T16:00:00Z')
    expect(month).toEqual({ from: '2026-02-28T16:00:00Z', to: '2026-03-31T16:00:00Z', grain: 'day' })
    expect(zoomed({ ...WANTED, grain: 'day' }, '2026-03-08T16:00:00.000Z', undefined).to).toBe('2026-03-09T16:00:00.000Z')
  })
})

describe('an answer in its chart', () => {
  const bars = result([['district', 'dimension', 'area'], ['rate', 'metric', 'percent']], [['440304', 0.5], ['440305', null]])

  it('names values, scales shares and leaves what is undefined undefined', () => {
    expect(bodyOf(bars, SPEECH)).toEqual([['福田区', 50], ['440305', null]])
    expect(grid(bars, chart('bar', { x: 'district', y: ['rate'] }), SPEECH).series[0]?.data).toEqual([50, null])
  })

  it('lays the second cut across in a pivot', () => {
    const both = result([['time', 'time', 'instant'], ['district', 'dimension', 'area'], ['opened', 'metric', 'integer']], [['2026-03-08', '440304', 3], ['2026-03-09', 'x', 1]])
    const made = pivoted(both, chart('stacked', { x: 'time', series: 'district', y: ['opened'] }), SPEECH)
    expect(made).toEqual({ head: ['time', '福田区', 'x'], body: [['03-08', 3, null], ['03-09', null, 1]] })
  })

  it('draws no table and no empty answer on a canvas', () => {
    expect(optionOf(bars, chart('table', { y: ['rate'] }), SPEECH)).toBeNull()
    expect(optionOf({ ...bars, rows: [] }, chart('bar', { x: 'district', y: ['rate'] }), SPEECH)).toBeNull()
  })

  it('starts bars at zero', () => {
    const option = optionOf(bars, chart('bar', { x: 'district', y: ['rate'], horizontal: true }), SPEECH) as { xAxis: { min?: unknown; scale: boolean } }
    expect([option.xAxis.min, option.xAxis.scale]).toEqual([undefined, false])
  })
})
