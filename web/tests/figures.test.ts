import { describe, expect, it } from 'vitest'

import { grainOf, periodOf, timeSteps } from '../src/analyse/board'
import { classPatterns } from '../src/analyse/classes'
import { listOf } from '../src/analyse/five'
import { change, csv, figure } from '../src/analyse/format'
import { byTime, labelOf, METRIC, rows } from '../src/analyse/query'
import type { Matter, QueryResult } from '../src/api/types'
import { ticks } from '../src/shared/scale'

const say = (key: string): string => key
const zone = 'Asia/Shanghai'
const now = Date.parse('2026-03-09T06:36:00Z')

const answer = {
  columns: [
    { id: 'time', role: 'time' },
    { id: 'department', role: 'dimension' },
    { id: 'cases_closed', role: 'metric' },
    { id: 'on_time_rate', role: 'metric' },
    { id: 'cases_closed__previous', role: 'previous' },
    { id: 'on_time_rate__previous', role: 'previous' },
  ],
  rows: [
    ['2026-03-09T00:00:00Z', 'water', 4, 0.75, 3, null],
    ['2026-03-09T00:00:00Z', 'urban', 1, null, 0, 0.5],
  ],
  labels: { department: { water: { zh: '水务局', en: 'Water' } } },
} as unknown as QueryResult

describe('a class of matters', () => {
  const matter = (key: string, code: string, zh: string) => ({ key, class_code: code, class_title: { zh, en: zh } }) as unknown as Matter

  it('leads to the cases of every catalogue that has it', () => {
    const all = [matter('gb47678:matter:06010', '06', '市容'), matter('gb47678:matter:06011', '06', '市容'), matter('gb30428:matter:0101', '01', '市容'), matter('gb30428:matter:0201', '02', '秩序')]
    expect(classPatterns(all, '市容')).toEqual(['gb47678:matter:06*', 'gb30428:matter:01*'])
    expect(classPatterns(all, '没有')).toEqual([])
  })
})

describe('an answer of the semantic model', () => {
  it('pairs each figure with that of the period before', () => {
    const [water, urban] = rows(answer)
    expect(water?.metrics.cases_closed).toEqual({ value: 4, previous: 3 })
    expect(water?.metrics.on_time_rate).toEqual({ value: 0.75, previous: null })
    expect(urban?.dims).toEqual({ department: 'urban' })
  })

  it('sums over what is not asked for', () => {
    expect([...byTime(rows(answer), 'cases_closed')]).toEqual([[Date.parse('2026-03-09T00:00:00Z'), 5]])
  })

  it('brings titles, and falls back to the value', () => {
    expect(labelOf(answer, 'department', 'water').en).toBe('Water')
    expect(labelOf(answer, 'department', 'urban').zh).toBe('urban')
  })
})

describe('a figure', () => {
  it('that is undefined is a dash, never a zero', () => {
    expect(figure(null, 'percent', say)).toEqual({ text: '—', unit: '' })
  })

  it('is read in its own unit', () => {
    expect(figure(0.968, 'percent', say)).toEqual({ text: '96.8', unit: '%' })
    expect(figure(19_440, 'duration', say)).toEqual({ text: '5.4', unit: 'h' })
    expect(figure(1500, 'duration', say)).toEqual({ text: '25', unit: 'min' })
    expect(figure(300_000, 'duration', say)).toEqual({ text: '3.5', unit: 'd' })
    expect(figure(12_345, 'integer', say)).toEqual({ text: '12,345', unit: '' })
  })

  it('says whether it became better, where the metric has a direction', () => {
    expect(change(19, 15, 'integer', null)).toEqual({ text: '+4', good: null })
    expect(change(0.968, 0.962, 'percent', true)).toEqual({ text: '+0.6 pt', good: true })
    expect(change(5400, 7200, 'duration', false)).toEqual({ text: '−25%', good: true })
    expect(change(10, null, 'integer', true)).toBeNull()
  })
})

describe('a figure as a link', () => {
  it('leads to the list under the same filter', () => {
    const period = { start: Date.parse('2026-03-08T16:00:00Z'), end: Date.parse('2026-03-09T07:00:00Z') }
    expect(listOf(METRIC.opened, period)).toMatchObject({ name: 'cases', query: { opened_from: '2026-03-08T16:00:00.000Z', opened_to: '2026-03-09T07:00:00.000Z' } })
    expect(listOf(METRIC.onTime, period)).toMatchObject({ query: { on_time: 'false', closed_from: '2026-03-08T16:00:00.000Z' } })
    expect(listOf(METRIC.warnings, period, { level: 'red' })).toMatchObject({ name: 'warnings', query: { level: 'red' } })
    expect(listOf(METRIC.closed, { start: null, end: null })).toMatchObject({ query: { open: 'false' } })
  })
})

describe('the period of the board', () => {
  it('begins at the midnight of the city', () => {
    expect(new Date(periodOf('today', now, zone).start!).toISOString()).toBe('2026-03-08T16:00:00.000Z')
    expect(new Date(periodOf('week', now, zone).start!).toISOString()).toBe('2026-03-02T16:00:00.000Z')
    expect(periodOf('all', now, zone)).toEqual({ start: null, end: null })
  })

  it('is drawn without gaps', () => {
    const today = periodOf('today', now, zone)
    expect(timeSteps(today, grainOf('today'), [], zone)).toHaveLength(15)
    expect(timeSteps(periodOf('week', now, zone), 'day', [], zone)).toHaveLength(7)
    expect(timeSteps({ start: null, end: null }, 'day', [], zone)).toEqual([])
  })
})

describe('a table as a file', () => {
  it('is quoted, opens as Chinese, and never runs as a formula', () => {
    const text = csv(['部门', 'n'], [['a,"b"', 1], ['=1+1', null]])
    expect(text).toBe('\uFEFF部门,n\r\n"a,""b""",1\r\n\'=1+1,\r\n')
  })
})

describe('an axis', () => {
  it('has round steps that hold the highest value', () => {
    for (const most of [1, 3, 7, 19, 42, 160, 999]) {
      const steps = ticks(most)
      expect(steps[0]).toBe(0)
      expect(steps.at(-1)).toBeGreaterThanOrEqual(most)
      expect(steps.length).toBeLessThanOrEqual(5)
    }
    expect(ticks(0)).toEqual([0, 1])
  })
})
