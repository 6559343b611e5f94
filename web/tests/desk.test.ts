import { describe, expect, it } from 'vitest'

import { problemFrom } from '../src/api/problem'
import { queryString } from '../src/api/client'
import { retryAfter } from '../src/api/stream'
import type { Matter } from '../src/api/types'
import { factsText } from '../src/cases/facts'
import { caseQuery } from '../src/cases/filters'
import { byDepartment, type OpenCase } from '../src/cases/openCases'
import { matchMatters, missingParts } from '../src/cases/report'
import { dutyOf } from '../src/shared/duty'
import { graver } from '../src/shared/levels'
import { measure, unitText } from '../src/shared/unit'
import { axisRange, evidenceLine, labelled } from '../src/watch/evidence'

describe('a refusal', () => {
  it('keeps what was wrong, where, and what to do', () => {
    const problem = problemFrom(422, { code: 'invalid', detail: 'no matter', mend: 'choose one', faults: [{ where: 'matter', what: 'missing', mend: '' }] })
    expect(problem).toMatchObject({ status: 422, code: 'invalid', detail: 'no matter', mend: 'choose one' })
    expect(problem.faults).toHaveLength(1)
  })

  it('of something that is not our server is still a problem', () => {
    expect(problemFrom(502, '<html>')).toMatchObject({ status: 502, code: 'unreadable' })
    expect(problemFrom(500, undefined)).toMatchObject({ status: 500, faults: [] })
  })
})

describe('the stream', () => {
  it('tries again soon, then less and less often', () => {
    expect([0, 1, 2, 3, 4, 99].map(retryAfter)).toEqual([1000, 2000, 4000, 8000, 15000, 15000])
  })
})

describe('the filters of the case list', () => {
  const ask = (values: Record<string, string>) =>
    caseQuery(
      (name) => values[name] ?? '',
      (name) => (values[name] ?? '').split(',').filter(Boolean),
    )

  it('become the query of the server', () => {
    expect(ask({ open: 'true', state: 'to_file,to_close', light: 'red', opened_from: '2026-03-08T16:00:00Z' })).toEqual({
      open: true,
      state: ['to_file', 'to_close'],
      light: 'red',
      opened_from: '2026-03-08T16:00:00.000Z',
    })
  })

  it('leave out what does not fit', () => {
    expect(ask({ light: 'purple', channel: 'pigeon', open: 'maybe', opened_to: 'soon' })).toEqual({})
  })

  it('are repeated in the address of an export', () => {
    expect(queryString({ state: ['a', 'b'], open: true, text: '', series: undefined })).toBe('?state=a&state=b&open=true')
  })
})

describe('the departments', () => {
  it('are counted from the open cases, busiest first', () => {
    const one = (department: string | null, light: string) => ({ department, light }) as OpenCase
    expect(byDepartment([one('water', 'red'), one('urban', 'green'), one('urban', 'red'), one(null, 'none')])).toEqual([
      { department: 'urban', open: 2, overdue: 1 },
      { department: 'water', open: 1, overdue: 1 },
    ])
  })
})

describe('the report form', () => {
  const matter = (code: string, zh: string, en: string) => ({ key: code, code, title: { zh, en }, class_title: { zh: '类', en: 'class' } }) as unknown as Matter

  it('finds matters by code and by name in both languages', () => {
    const all = [matter('0101', '暴露垃圾', 'Rubbish'), matter('0301', '井盖缺损', 'Manhole cover')]
    expect(matchMatters(all, '井盖', 9).map((m) => m.code)).toEqual(['0301'])
    expect(matchMatters(all, 'RUBB', 9).map((m) => m.code)).toEqual(['0101'])
    expect(matchMatters(all, '0', 1)).toHaveLength(1)
  })

  it('says what is missing', () => {
    expect(missingParts({ matter: '', title: 'x', lon: null, lat: '', channel: 'hotline', photos: 0 })).toEqual(['matter', 'name', 'point'])
    const whole = { matter: 'm', title: '井盖缺损', lon: 114, lat: 22.5, channel: 'hotline', photos: 0 }
    expect(missingParts(whole)).toEqual([])
    expect(missingParts({ ...whole, channel: 'collector' })).toEqual(['photos'])
    expect(missingParts({ ...whole, channel: 'collector', photos: 1 })).toEqual([])
  })
})

describe('the facts of a timeline entry', () => {
  const words = { name: (k: string) => k, title: (t: { zh: string }) => t.zh, instant: (at: string) => at.slice(11, 16), listed: (w: readonly string[]) => w.join('、'), known: (v: string) => (v === 'water' ? '水务局' : v) }

  it('are words, not JSON', () => {
    const facts = { department: 'water', due_at: { before: null, after: '2026-03-09T04:23:19Z' }, reason: { zh: '自动', en: 'auto' }, level: { before: 'a', after: 'b' } }
    expect(factsText(facts, words)).toEqual(['department 水务局', 'due_at 04:23', 'level a → b'])
    expect(factsText({ target: '20260314', target_number: '20260314' }, words)).toEqual(['target_number 20260314'])
  })
})

describe('words beside a name', () => {
  it('do not repeat it', () => {
    expect(dutyOf('值班长 王磊', '城运中心', ['值班长'])).toBe('城运中心')
    expect(dutyOf('王磊', '城运中心', ['值班长'])).toBe('城运中心 · 值班长')
    expect(dutyOf('Wang Lei, shift leader', 'Centre', ['Shift leader'])).toBe('Centre')
  })
})

describe('units', () => {
  it('are written for people', () => {
    expect(unitText('{persons}/10min', 'zh-CN')).toBe('人/10 min')
    expect(unitText('{persons}/10min', 'en')).toBe('persons/10 min')
    expect(measure(257, 'ug/m3', 'en')).toBe('257 µg/m³')
    expect(measure(5, '', 'en')).toBe('5')
    expect(measure(42.909116, 'L', 'en')).toBe('42.91 L')
  })
})

describe('warnings', () => {
  it('stand gravest first, then newest', () => {
    const list = [
      { level: 'blue' as const, raised_at: '3' },
      { level: 'red' as const, raised_at: '1' },
      { level: 'red' as const, raised_at: '2' },
    ]
    expect(list.sort(graver).map((w) => w.raised_at)).toEqual(['2', '1', '3'])
  })

  it('that sum are shown as a running total', () => {
    const points: [string, number, string][] = [
      ['2026-03-09T00:00:00Z', 1, 'a'],
      ['2026-03-09T00:10:00Z', 2, 'b'],
    ]
    expect(evidenceLine({ aggregate: 'sum', points }).map((p) => p[1])).toEqual([1, 3])
    expect(evidenceLine({ aggregate: 'count', points }).map((p) => p[1])).toEqual([1, 2])
    expect(evidenceLine({ aggregate: 'mean', points }).map((p) => p[1])).toEqual([1, 2])
  })

  it('show the next threshold but not one far out of reach', () => {
    const range = axisRange([60, 120], [75, 115, 150, 250])
    expect(range.max).toBeGreaterThan(150)
    expect(range.max).toBeLessThan(250)
    expect(range.min).toBeLessThan(60)
  })

  it('name a threshold only where there is room for the name', () => {
    expect([...labelled([90, 95, 100, 500], { min: 0, max: 130 })]).toEqual([100])
    expect([...labelled([75, 115, 150], { min: 40, max: 160 })]).toEqual([150, 115, 75])
  })
})
