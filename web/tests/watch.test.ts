import { describe, expect, it } from 'vitest'

import { daysOf } from '../src/watch/backtest'
import { changesOf, comparable, labelled, observed, shownSpan } from '../src/watch/evidence'
import { bands, timeRange, wayBack } from '../src/watch/levelChart'
import { linesOf, servedError, type Foretold, type Score } from '../src/watch/forecasts'
import { muteState, readyEnds, scopesOf } from '../src/watch/mute'
import { asKind, blank, changesBetween, type Entry, faultsAt, type Kind, kindOf, nextVersion, ringsText, said, type Section, sectionsOf, shifted, typedDuration, typedRings, versionsOf, withKey } from '../src/watch/ruleDraft'
import { type Health, joined, type RuleLine, standing } from '../src/watch/rules'
import type { Rule } from '../src/api/types'

const title = { zh: '题', en: 'title' }
const kind = (id: string, patch: Partial<Kind> = {}): Kind => ({ id, aggregate: id as Kind['aggregate'], title, note: title, measures: 'property', keys: ['id', 'property', 'levels', 'window'], marks: [], start: { window: '1h', levels: { blue: 10 } }, ...patch })
const MEAN = kind('mean')
const LAST = kind('last')
const FENCE = kind('fence', { aggregate: 'last', marks: ['fence'], measures: 'place', keys: ['id', 'levels', 'fence'], start: { fence: { side: 'inside' }, levels: { blue: 1 } } })

describe('a rule as a draft', () => {
  it('is of the kind of its aggregate, and of the one whose marks it has', () => {
    const kinds = [MEAN, LAST, FENCE]
    expect(kindOf({ aggregate: 'mean' }, kinds)?.id).toBe('mean')
    expect(kindOf({ aggregate: 'last' }, kinds)?.id).toBe('last')
    expect(kindOf({ aggregate: 'last', fence: {} }, kinds)?.id).toBe('fence')
    expect(kindOf({ aggregate: 'new' }, kinds)).toBeUndefined()
  })

  it('keeps what another kind knows, and begins with what that needs', () => {
    const draft = { id: 'a', aggregate: 'mean', property: 'x', levels: { blue: 75 }, window: '2h' }
    expect(asKind(draft, LAST)).toEqual({ ...draft, aggregate: 'last' })
    expect(asKind(draft, FENCE)).toEqual({ id: 'a', aggregate: 'last', fence: { side: 'inside' }, levels: { blue: 1 } })
  })

  it('shows the sections that have keys of the kind', () => {
    const field = (key: string): Section['fields'][number] => ({ key, title, note: null, input: 'text', needed: false, options: [], source: null, fields: [] })
    const sections: Section[] = [{ id: 'look', title, fields: [field('property'), field('fence')] }, { id: 'after', title, fields: [field('depends')] }]
    expect(sectionsOf(MEAN, sections).map((one) => one.fields.map((f) => f.key))).toEqual([['property']])
  })

  it('leaves out what is blank, so that the default counts', () => {
    expect(withKey({ a: 1, b: 2 }, 'a', '')).toEqual({ b: 2 })
    expect(withKey({ a: 1 }, 'b', 0)).toEqual({ a: 1, b: 0 })
    expect([blank({ x: '', y: [] }), blank([{}]), blank(false)]).toEqual([true, false, false])
  })

  it('shows a fault at the nearest field that is drawn', () => {
    const fault = (key: string) => ({ key, what: 'w', mend: '', line: 1 })
    const faults = [fault('levels.red'), fault('conditions.0.rule'), fault('conditions')]
    expect(faultsAt(faults, 'levels', true)).toHaveLength(1)
    expect(faultsAt(faults, 'conditions', false).map((one) => one.key)).toEqual(['conditions'])
    expect(faultsAt(faults, 'conditions.0.rule', true)).toHaveLength(1)
  })

  it('reads durations and polygons as people type them', () => {
    expect([typedDuration(' 90 '), typedDuration('10min')]).toEqual([90, '10min'])
    expect(typedRings('1,2 3,4\n\n5,x')).toEqual([[[1, 2], [3, 4]]])
    expect(ringsText([[[1, 2], [3, 4]]])).toBe('1,2 3,4')
  })

  it('counts versions on, and moves thresholds together', () => {
    expect(['1', '2026-9', 'a'].map(nextVersion)).toEqual(['2', '2026-10', 'a.1'])
    expect(shifted({ blue: 75, red: 250 }, 80)).toEqual({ blue: 80, red: 255 })
    expect(said({ blue: 75 })).toBe('{blue: 75}')
  })

  it('has the pack as the foot of its versions', () => {
    const entry: Entry = { rule: 'a', declaration: { version: '2' }, pack: { version: '1', hold: 0 }, origin: 'changed', versions: [{ number: 1, version: '2', origin: 'changed', at: 'x', by: 'b', reason: 'r', in_force: true, declaration: { version: '2' } }] }
    expect(versionsOf(entry).map((one) => [one.number, one.inForce])).toEqual([[1, true], [0, false]])
    expect(changesBetween(entry.pack, entry.declaration)).toEqual([{ key: 'version', before: '1', after: '2' }, { key: 'hold', before: 0, after: null }])
  })
})

describe('evidence', () => {
  const warning = { evidence: { window_from: '2026-03-09T02:00:00Z', window_to: '2026-03-09T03:00:00Z' }, cleared_at: '2026-03-09T05:00:00Z' }

  it('shows six hours before, and on until some hours after it cleared', () => {
    const span = shownSpan(warning, Date.parse('2026-03-10T03:00:00Z'))
    expect([new Date(span.from).toISOString(), new Date(span.to).toISOString()]).toEqual(['2026-03-08T20:00:00.000Z', '2026-03-09T17:00:00.000Z'])
  })

  it('draws the whole window, also around one value', () => {
    const line = { name: 'value', points: [[50, 1]] as [number, number][] }
    expect(timeRange({ lines: [line], marks: [], stretches: [{ from: 10, to: 90 }] })).toEqual({ min: 10, max: 90 })
    expect(timeRange({ lines: [], marks: [], stretches: [] })).toEqual({})
  })

  it('marks raising, levels and clearing with the value that was judged', () => {
    const step = (what: string, value: number | null) => ({ what, value, at: '2026-03-09T02:00:00Z', level: 'blue' as const })
    expect(changesOf({ history: [step('raised', 80), step('acknowledged', 80), step('level', null), step('cleared', 60)] }).map((one) => [one.value, one.level])).toEqual([[80, 'blue'], [60, null]])
  })

  it('bands the levels in either direction, and knows the way back', () => {
    expect(bands({ blue: 75, orange: 150 })).toEqual([{ level: 'blue', from: 75, to: 150 }, { level: 'orange', from: 150, to: null }])
    expect(wayBack({ limits: { blue: 75 }, direction: 'above', margin: 10 })).toBe(65)
    expect(wayBack({ limits: { blue: 20 }, direction: 'below', margin: 5 })).toBe(25)
    expect(wayBack({ limits: { blue: 20 }, direction: 'below', margin: 0 })).toBeNull()
    expect([...labelled([75, 76, 150], { min: 0, max: 200 })]).toEqual([150, 76])
  })

  it('puts nothing on one axis that is of two quantities', () => {
    expect(['mean', 'rate', 'anomaly'].map((one) => [comparable(one), observed(one)])).toEqual([[true, true], [false, true], [true, false]])
  })
})

describe('rules as they serve', () => {
  const health = (patch: Partial<Health> = {}): Health => ({ rule: 'a', title, department: 'd', fired: 9, a_week: 2, true: 2, false: 2, drill: 0, unlabelled: 5, false_share: 0.5, acknowledged: 1, cases: 1, last_fired: '2026-03-09T02:00:00Z', silent: false, muted: 0, last_error: null, ...patch })
  const line = (patch: Partial<RuleLine>): RuleLine => ({ ...({ id: 'a', last_error: null, no_data: null, respond: 'case' } as unknown as Rule), health: health(), fired: 9, last: '', ...patch })

  it('have one word for it, the worst first', () => {
    expect(standing(line({ last_error: 'x' }))).toBe('failing')
    expect(standing(line({ no_data: title }))).toBe('blind')
    expect(standing(line({}))).toBe('doubtful')
    expect(standing(line({ health: health({ true: 1, false: 1 }) }))).toBe('well')
    expect(standing(line({ health: health({ silent: true }) }))).toBe('silent')
    expect(standing(line({ respond: 'part', health: undefined }))).toBe('part')
  })

  it('are joined with their health by id', () => {
    expect(joined([{ id: 'a' } as Rule, { id: 'b' } as Rule], [health()]).map((one) => one.fired)).toEqual([9, 0])
  })

  it('show every day of a backtest, also those without a warning', () => {
    const report = { start: '2026-03-08T16:00:00Z', end: '2026-03-11T16:00:00Z', days: [{ day: '2026-03-10', levels: { red: 2 } }] }
    const china = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().slice(0, 10)
    expect(daysOf(report, china).map((one) => [one.day, one.levels.red ?? 0])).toEqual([['2026-03-09', 0], ['2026-03-10', 2], ['2026-03-11', 0]])
  })
})

describe('mutes', () => {
  const now = Date.parse('2026-03-09T15:00:00Z')

  it('end when people usually wish it, in city time', () => {
    expect(readyEnds(now, 'Asia/Shanghai').map((one) => new Date(one.at).toISOString())).toEqual(['2026-03-09T16:00:00.000Z', '2026-03-09T19:00:00.000Z', '2026-03-10T00:00:00.000Z', '2026-03-16T15:00:00.000Z'])
  })

  it('reach from one rule of one thing to the whole rule', () => {
    const warning = { rule: 'r', entity: 'e', area: 'c1', district: 'd' }
    expect(scopesOf(warning).map((one) => one.scope)).toEqual([{ rule: 'r', entity: 'e' }, { entity: 'e' }, { rule: 'r', area: 'd' }, { rule: 'r' }])
    expect(scopesOf({ ...warning, district: null }).map((one) => one.id)).toEqual(['both', 'entity', 'rule'])
  })

  it('are quiet now, planned, ended early, or over', () => {
    const mute = (active: boolean, ended_at: string | null, start: string) => muteState({ active, ended_at, start }, now)
    expect([mute(true, null, '2026-03-09T00:00:00Z'), mute(false, null, '2026-03-10T00:00:00Z'), mute(false, 'x', '2026-03-09T00:00:00Z'), mute(false, null, '2026-03-01T00:00:00Z')]).toEqual(['active', 'planned', 'ended', 'over'])
  })
})

describe('a forecast', () => {
  const at = (hour: number): string => `2026-03-09T0${hour}:00:00Z`
  const found = {
    past: [{ at: at(1), value: 5, usual: 4, forecast: 6, low: 3, high: 9 }, { at: at(2), value: null, usual: null, forecast: null, low: null, high: null }],
    outlook: { origin: at(2), value: 7, points: [{ at: at(3), value: 8, low: 6, high: 10, usual: 4 }] },
  } as unknown as Pick<Foretold, 'past' | 'outlook'>

  it('goes on from the newest value, with an interval that opens there', () => {
    const lines = linesOf(found)
    const hours = (points: readonly (readonly number[])[]): unknown[] => points.map(([time, ...values]) => [new Date(Number(time)).getUTCHours(), ...values])
    expect(hours(lines.past)).toEqual([[1, 5]])
    expect(hours(lines.ahead)).toEqual([[2, 7], [3, 8]])
    expect(hours(lines.between)).toEqual([[1, 3, 9], [2, 7, 7], [3, 6, 10]])
    expect(hours(lines.usual)).toEqual([[1, 4], [3, 4]])
  })

  it('is not drawn where there is none', () => {
    expect(linesOf({ ...found, outlook: { ...found.outlook, points: [] } }).ahead).toEqual([])
  })

  it('has the error of who serves', () => {
    const score = { server: 'seasonal', model_mae: 1, persistence_mae: 2, seasonal_mae: 3 } as Score
    expect(servedError(score)).toBe(3)
  })
})
