import { describe, expect, it } from 'vitest'

import { Problem, problemFrom } from '../src/api/problem'
import { offeredGroups, railOf } from '../src/app/rails'
import { differences, rawText, scheduleText, typedValue } from '../src/collect/words'
import { courseOf, limitText, matrix } from '../src/quality/inspection'
import { stretch } from '../src/quality/period'
import { lossStep, stripRows } from '../src/quality/strip'
import type { HourCell, InspectionTask } from '../src/quality/types'
import { asked, slicePage, stepped } from '../src/shared/list'
import { byRule, ofDryRun, ofTrial } from '../src/shared/trial'
import { unitText } from '../src/shared/unit'
import { useSend } from '../src/shared/useSend'
import { codeLines, valuesOf, withCode } from '../src/standard/codeMap'
import { codeRows } from '../src/standard/codes'
import { acceptAll, changed, declarationOf, ofDeclaration, ofSuggestion, pastedRows } from '../src/standard/draft'
import type { Code, Suggestion, TypeDetail } from '../src/standard/types'
import { curve, drawn, neighbour, reach } from '../src/steward/graph'
import { steps } from '../src/steward/lineageSteps'
import type { Node } from '../src/steward/types'
import { bytesText, screenOf } from '../src/steward/words'

const title = (text: string) => ({ zh: text, en: text })
const say = (key: string, named: Record<string, unknown> = {}): string => `${key} ${Object.values(named).join(' ')}`.trim()

describe('a list', () => {
  it('is stepped through within its rows', () => {
    expect([stepped(-1, 1, 3), stepped(2, 1, 3), stepped(0, -1, 3), stepped(0, 1, 0)]).toEqual([0, 2, 0, -1])
  })

  it('that is here whole is narrowed, ordered and cut', () => {
    const rows = [{ id: 'b', n: 2 }, { id: 'a', n: 10 }, { id: 'c', n: 1 }]
    expect(slicePage(rows, { page: 1, size: 2, sort: '-n' }, '', (row) => row.id)).toEqual({ items: [{ id: 'a', n: 10 }, { id: 'b', n: 2 }], total: 3 })
    expect(slicePage(rows, { page: 1, size: 9, sort: undefined }, ' C ', (row) => row.id).items).toEqual([{ id: 'c', n: 1 }])
  })

  it('asks only for what is said', () => {
    expect(asked({ a: '', b: undefined, c: false, d: 'x' })).toEqual({ c: false, d: 'x' })
  })
})

describe('the data platform', () => {
  it('offers only what an actor may do or sees', () => {
    const session = (may: string[], sees: string[]) => ({ may: (one: string) => may.includes(one), sees: (one: string) => sees.includes(one) })
    expect(offeredGroups('data', session([], []))).toEqual([])
    const names = offeredGroups('data', session(['standard.read'], ['grant'])).flatMap((group) => group.entries.map((entry) => entry.name))
    expect(names).toEqual(['types', 'grants'])
  })

  it('and linkage have a rail, the map has none', () => {
    expect([railOf('code-lists')?.name, railOf('plan-edit')?.name, railOf('map')]).toEqual(['data', 'linkage', undefined])
  })
})

describe('a trial', () => {
  const trial = {
    received: 2,
    accepted: 1,
    refused: 1,
    columns: ['PM2.5', '站点'],
    raw: [{ index: 0, place: 'line 2', values: { 'PM2.5': '35', 站点: '1010A' } }, { index: 1, place: 'line 3', values: { 'PM2.5': '-4', 站点: '1011A' } }],
    rows: [{ index: 0, entity: '1010A', lon: 114.02289400000001, area: null, values: { pm2_5: 35 } }],
    refusals: [{ index: 1, place: 'line 3', column: 'PM2.5', rule: 'range', said: title('below 0') }],
    flags: [],
    notes: [],
  }

  it('puts raw and mapped rows side by side, with nothing where a row was refused', () => {
    const side = ofTrial(trial)
    expect(side.made).toEqual(['entity', 'lon', 'pm2_5'])
    expect(side.lines[0]).toMatchObject({ place: 'line 2', raw: ['35', '1010A'], mapped: ['1010A', '114.022894', '35'], faults: [] })
    expect(side.lines[1]).toMatchObject({ mapped: null, faults: [{ column: 'PM2.5', reason: title('below 0'), flag: false }] })
  })

  it('of a dry run reads the same', () => {
    const side = ofDryRun({ columns: ['a'], raw: [{ a: 1 }, { a: { b: 2 } }], mapped: [{ index: 1, entity: 'x' }], refusals: [{ index: 0, column: null, rule: 'entity', said: title('unknown') }], notes: [] })
    expect([side.received, side.accepted, side.refused]).toEqual([2, 1, 1])
    expect(side.lines.map((line) => line.raw[0])).toEqual(['1', '{"b":2}'])
  })

  it('counts violations by rule, the commonest first', () => {
    const fault = (rule: string, column: string) => ({ index: 0, place: '', column, rule, reason: title(''), flag: false })
    expect(byRule([fault('range', 'a'), fault('type', 'a'), fault('type', 'a')]).map((group) => [group.rule, group.count])).toEqual([['type', 2], ['range', 1]])
  })
})

describe('a mapping draft', () => {
  const field = (target: string, column: string | null, confidence: number, declaration: Record<string, unknown> | null = null) => ({ target, title: title(target), column, confidence, reasons: [], declaration })
  const suggestion = {
    entity_type: 'AirQualityStation',
    columns: [],
    fields: [field('pm2_5', 'PM', 0.9, { field: 'PM', unit: 'ug/m3' }), field('wind', '风', 0.4), field('o3', null, 0), field('entity', '站', 0.97), field('time', '时', 0.99), field('lon', '经', 0.9), field('lat', '纬', 0.9)],
    unused: [],
    datum: { datum: 'gcj02', confidence: 0.8, reason: '' },
    declaration: { id: 'air-x', title: title('空气'), entity_type: 'AirQualityStation', department: 'environment', fold_width: true, entity: { field: '站', lookup: { by: 'title' } }, time: { field: '时', format: 'excel', zone: 'Asia/Shanghai' }, position: { lon: '经', lat: '纬', datum: 'gcj02' }, properties: { pm2_5: { field: 'PM', unit: 'ug/m3' }, wind: '风' } },
    yaml: '',
    notes: [],
  } as unknown as Suggestion

  it('takes what is sure and leaves the rest to a person', () => {
    const made = declarationOf(ofSuggestion(suggestion, '', ''))
    expect(made).toMatchObject({ id: 'air-x', department: 'environment', fold_width: true, entity: { field: '站', lookup: { by: 'title' } }, time: { field: '时', format: 'excel', zone: 'Asia/Shanghai' }, position: { lon: '经', lat: '纬', datum: 'gcj02' } })
    expect(made.properties).toEqual({ pm2_5: { field: 'PM', unit: 'ug/m3' } })
  })

  it('is altered target by target', () => {
    let draft = ofSuggestion(suggestion, '', '')
    draft = changed(draft, 'o3', { column: '臭氧' })
    draft = changed(draft, 'pm2_5', { more: { unit: 'mg/m3' } })
    draft = changed(draft, 'lat', { column: null })
    const made = declarationOf(draft)
    expect(made.properties).toEqual({ pm2_5: { field: 'PM', unit: 'mg/m3' }, o3: { field: '臭氧' } })
    expect(made).not.toHaveProperty('position')
    expect(declarationOf(acceptAll(draft, 0)).properties).toHaveProperty('wind')
  })

  it('of a declared feed gives the same declaration back', () => {
    const type = { id: 'AirQualityStation', properties: [{ id: 'pm2_5', title: title('PM') }, { id: 'wind', title: title('风') }, { id: 'o3', title: title('O3') }] } as unknown as TypeDetail
    const declared = suggestion.declaration as { properties: object }
    const back = declarationOf(ofDeclaration(suggestion.declaration, type, title))
    expect(back).toEqual({ ...declared, properties: { ...declared.properties, wind: { field: '风' } } })
  })

  it('reads pasted CSV and JSON, and nothing else', () => {
    expect(pastedRows('a,b\n1,"x, ""y"""\n')).toEqual([{ a: '1', b: 'x, "y"' }])
    expect(pastedRows('a\tb\n1\t2')).toEqual([{ a: '1', b: '2' }])
    expect(pastedRows('[{"a": 1}]')).toEqual([{ a: 1 }])
    expect(pastedRows('{"a":1}\n{"a":2}')).toEqual([{ a: 1 }, { a: 2 }])
    for (const wrong of ['', 'hello', '[1, 2]', '{"a":']) expect(pastedRows(wrong), wrong).toBeNull()
  })
})

describe('a code list', () => {
  const code = (id: string, parent: string | null) => ({ code: id, title: title(id), parent, synonyms: [], valid: true, valid_from: null, valid_to: null }) as Code
  it('is a tree, and loses no code even where the parents run in a ring', () => {
    expect(codeRows([code('b', 'a'), code('a', null), code('c', 'b'), code('x', 'gone')]).map((row) => [row.code, row.depth])).toEqual([['a', 0], ['b', 1], ['c', 2], ['x', 0]])
    expect(codeRows([code('p', 'q'), code('q', 'p')])).toHaveLength(2)
  })
})

describe('a quarantined record', () => {
  it('is shown whole, indented where it is JSON', () => {
    expect(rawText('{"a":1}')).toBe('{\n  "a": 1\n}')
    expect(rawText('a,b')).toBe('a,b')
  })

  it('is corrected by what differs, in the kind it was sent in', () => {
    expect(differences({ a: '-4', b: 7, c: 'x' }, { a: '4', b: '7', c: '' })).toEqual({ a: '4', c: null })
    expect([typedValue('12.5', 3), typedValue('true', null), typedValue('Ⅱ', 3)]).toEqual([12.5, true, 'Ⅱ'])
  })

  it('came by a source with a schedule in words', () => {
    expect(scheduleText({ kind: 'every', seconds: 300 }, say)).toContain('sources.every')
    expect(scheduleText({ kind: 'daily', at: '02:30' }, say)).toBe('sources.daily 02:30')
  })
})

describe('quality', () => {
  it('shows a little loss as loss, and nothing due as nothing', () => {
    expect([1, 0.999, 0.95, 0.8, 0.5, 0.1, null].map(lossStep)).toEqual([0, 1, 2, 3, 4, 5, -1])
    const cells = [{ at: 'x', completeness: 0.5, validity: null }, { at: 'y', completeness: 1, validity: null }] as unknown as HourCell[]
    expect(stripRows(cells)[0]).toMatchObject({ dimension: 'completeness', least: 0.5 })
    expect(stripRows(cells)[1]?.least).toBeNull()
  })

  it('is asked for over whole days up to now', () => {
    const now = Date.parse('2026-03-09T06:36:20Z')
    expect(stretch('30', now)).toEqual({ from: '2026-02-07T06:36:00.000Z', to: '2026-03-09T06:36:00.000Z' })
    expect(stretch('nonsense', now).from).toBe('2026-03-02T06:36:00.000Z')
  })

  it('is inspected along a course, feed by feed and check by check', () => {
    expect(courseOf('cases').map((step) => step.place)).toEqual(['past', 'past', 'past', 'here', 'ahead', 'ahead', 'ahead', 'ahead'])
    const table = matrix([{ feed: 'a', check: 'values' }, { feed: 'b', check: 'values' }, { feed: 'a', check: 'sample' }] as InspectionTask[])
    expect([table.feeds.length, table.checks.length]).toEqual([2, 2])
    expect(table.at('b', 'sample')).toBeUndefined()
  })
})

describe('lineage', () => {
  const node = (id: string): Node => ({ id, kind: 'dataset', title: title(id), link: null, department: null })
  const lineage = { node: 'b', nodes: ['a', 'b', 'c', 'd'].map(node), edges: [{ source: 'a', target: 'b' }, { source: 'b', target: 'c' }, { source: 'b', target: 'd' }, { source: 'b', target: 'gone' }] }

  it('is drawn from left to right, and walked with the arrow keys', () => {
    const drawing = drawn(lineage)
    const x = (id: string) => drawing.nodes.find((one) => one.id === id)!.x
    expect(x('a')).toBeLessThan(x('b'))
    expect(x('b')).toBeLessThan(x('c'))
    expect(drawing.edges).toHaveLength(3)
    expect(neighbour(drawing, 'a', 'ArrowRight')).toBe('b')
    expect(neighbour(drawing, 'b', 'ArrowLeft')).toBe('a')
    const [upper, lower] = drawing.nodes.filter((one) => one.layer === 2).sort((p, q) => p.y - q.y)
    expect(neighbour(drawing, upper!.id, 'ArrowDown')).toBe(lower!.id)
    expect(neighbour(drawing, 'a', 'ArrowLeft')).toBeNull()
    expect(drawn({ nodes: [], edges: [] })).toMatchObject({ nodes: [], edges: [] })
    expect(curve([])).toBe('')
  })

  it('is listed step by step, and knows what hangs together', () => {
    expect(steps(lineage, 'up').map((step) => step.map((one) => one.id))).toEqual([['a']])
    expect(steps(lineage, 'down').map((step) => step.map((one) => one.id))).toEqual([['c', 'd']])
    expect([...reach(lineage.edges, 'c')].sort()).toEqual(['a', 'b', 'c'])
  })

  it('leads to screens', () => {
    expect(screenOf('column', 'column:AirQualityStation.pm2_5')).toMatchObject({ name: 'dataset', params: { id: 'AirQualityStation' } })
    expect(screenOf('field', 'field:a.b')).toBeNull()
    expect([bytesText(null), bytesText(0), bytesText(1_530_000)]).toEqual(['—', '0 B', '1.5 MB'])
  })
})

describe('a map of codes', () => {
  it('names what is declared first, then what the sample holds', () => {
    const rows = [{ 风向: '东' }, { 风向: ' 西 ' }, { 风向: '东' }, { 风向: null }]
    expect(valuesOf(rows, '风向')).toEqual(['东', '西'])
    expect(valuesOf(rows, null)).toEqual([])
    expect(codeLines({ 东: 'E' }, ['东', '西', '西'])).toEqual([{ sent: '东', code: 'E' }, { sent: '西', code: null }])
  })

  it('gains and loses a value, and is left out of the declaration when it is empty', () => {
    expect(withCode({ 东: 'E' }, '西', 'W')).toEqual({ 东: 'E', 西: 'W' })
    expect(withCode({ 东: 'E' }, '东', '')).toEqual({})
    const line = { target: 'wind_direction', title: title('风向'), column: '风向', accepted: true, confidence: 1, reasons: [], more: {} }
    const draft = { id: 'wind', title: title('风'), entity_type: 'AirQualityStation', department: 'environment', datum: 'wgs84', lines: [line], rest: {} }
    const named = changed(draft, 'wind_direction', { more: { codes: { 东: 'E' } } })
    expect(declarationOf(named).properties).toEqual({ wind_direction: { field: '风向', codes: { 东: 'E' } } })
    expect(declarationOf(changed(named, 'wind_direction', { more: { codes: undefined } })).properties).toEqual({ wind_direction: { field: '风向' } })
  })
})

describe('a refusal', () => {
  it('keeps the posts that could', () => {
    expect(problemFrom(403, { detail: 'no sight', able: ['steward'] }).able).toEqual(['steward'])
    expect(problemFrom(403, 'gateway').able).toEqual([])
  })

  it('is kept where something was sent, and gone with the next attempt', async () => {
    let fails = true
    const { busy, problem, send } = useSend(async () => {
      if (fails) throw new Problem(409, 'conflict', 'version 2')
    })
    expect([await send(), problem.value?.status, busy.value]).toEqual([false, 409, false])
    fails = false
    expect([await send(), problem.value]).toEqual([true, null])
  })
})

describe('words for content', () => {
  it('say limits in working days in the language of the visitor', () => {
    const say = (key: string, named: { n: string }) => `${key} ${named.n}`
    expect([limitText('5工作日', say), limitText('24小时', say)]).toEqual(['inspection.workdays 5', '24小时'])
  })

  it('count persons in units with and without braces', () => {
    expect([unitText('{persons}/10min', 'zh-CN'), unitText('persons/10 min', 'zh-CN'), unitText('persons/10 min', 'en')]).toEqual(['人/10 min', '人/10 min', 'persons/10 min'])
  })
})
