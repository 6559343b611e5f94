import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'

import { useSession } from '../src/access/session'
import type { Session } from '../src/api/types'
import { freeId, led, marks, moved, narrowed, newRow, put, type Row, type Table, useDispatchDraft, without } from '../src/city/dispatchDraft'
import { changing, classKey, edited, keysOf, type LimitLine, together, useLimitsDraft } from '../src/city/limitsDraft'
import { differences, passwordLines } from '../src/city/sheets'

const row = (id: string, department = 'urban', patch: Partial<Row> = {}): Row => ({ ...newRow(id), title: { zh: id, en: id }, department, ...patch })
const table: Table = { version: '1', learn_after: 5, handlers: {}, rows: [row('a'), row('b', 'water'), row('c', 'police', { co_handlers: [{ department: 'water', required: true, demand: '', after: [] }] })] }
const ids = (one: Table): string[] => one.rows.map((r) => r.id)

describe('the table of responsibility as a draft', () => {
  it('moves, replaces, adds and removes rows', () => {
    expect(ids(moved(table, 'c', -1))).toEqual(['a', 'c', 'b'])
    expect(ids(moved(table, 'a', -1))).toEqual(['a', 'b', 'c'])
    expect(ids(put(table, 'b', row('b2'), 0))).toEqual(['b2', 'a', 'c'])
    expect(ids(put(table, null, row('d'), 99))).toEqual(['a', 'b', 'c', 'd'])
    expect(ids(without(table, 'a'))).toEqual(['b', 'c'])
    expect(ids(table)).toEqual(['a', 'b', 'c'])
  })

  it('marks only what differs: one moved row is one mark', () => {
    expect([...marks(table, moved(table, 'a', 2))]).toEqual([['a', 'moved']])
    expect([...marks(table, put(table, 'b', row('b', 'police'), 1))]).toEqual([['b', 'changed']])
    expect([...marks(table, put(table, null, row('d'), 0))]).toEqual([['d', 'added']])
    expect([...marks(table, table)]).toEqual([])
  })

  it('finds rows by words and by any department in them', () => {
    const words = (r: Row): string => r.title.zh
    expect(narrowed(table, { text: '', department: 'water' }, words).map((one) => one.number)).toEqual([2, 3])
    expect(narrowed(table, { text: 'A', department: '' }, words).map((one) => one.row.id)).toEqual(['a'])
  })

  it('takes one lead as the department and several as equals', () => {
    expect(led(row('a'), ['water'])).toMatchObject({ department: 'water', candidates: [] })
    expect(led(row('a'), ['water', 'urban'])).toMatchObject({ department: null, candidates: ['water', 'urban'] })
    expect(freeId(put(table, null, row('row-4'), 3))).toBe('row-5')
    expect(freeId(put(table, null, row('row-5'), 3))).toBe('row-6')
  })
})

const line = (patch: Partial<LimitLine> = {}): LimitLine =>
  ({ matter: 'gb:matter:06010', class_code: '06', limit: '2天', source: 'class', conditions: [], ...patch }) as LimitLine

describe('limits as a draft', () => {
  beforeEach(() => setActivePinia(createPinia()))

  it('names only what changes', () => {
    expect(keysOf(edited(line(), '2天', false, []))).toEqual([])
    expect(edited(line(), '1天', false, []).matters).toEqual({ 'gb:matter:06010': '1天' })
    expect(edited(line({ source: 'matter' }), '', false, []).matters).toEqual({ 'gb:matter:06010': null })
    expect(keysOf(edited(line(), '', false, []))).toEqual([])
    expect(edited(line(), '2天', false, [{ filing: 'x', limit: '1天', closing: '' }]).conditions).toHaveProperty('gb:matter:06010')
  })

  it('gives a limit to the whole class, and the matter follows it', () => {
    expect(classKey(line())).toBe('gb:matter:06')
    const own = edited(line({ source: 'matter' }), '3天', true, [])
    expect([own.classes, own.matters]).toEqual([{ 'gb:matter:06': '3天' }, { 'gb:matter:06010': null }])
    expect(keysOf(edited(line(), '2天', true, []))).toEqual([])
  })

  it('lays later changes over earlier ones and lets them go again', () => {
    const draft = useLimitsDraft()
    draft.lay(changing({ matters: { a: '1天', b: '2天' } }))
    draft.lay(together(changing({ matters: { a: '3天' } }), changing({ conditions: { c: [] } })))
    expect([draft.change.matters, draft.keys]).toEqual([{ a: '3天', b: '2天' }, ['a', 'b', 'c']])
    draft.drop('a')
    expect(draft.keys).toEqual(['b', 'c'])
    draft.clear()
    expect(draft.keys).toEqual([])
  })

  it('survive a reload of the tab, each for its author', () => {
    const kept = new Map<string, string>()
    vi.stubGlobal('sessionStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text) })
    const as = (id: string): void => { useSession().session = { actor: { id }, permissions: [], sees: [] } as unknown as Session }
    as('zhiban')
    useLimitsDraft().lay(changing({ fallback: '5天' }))
    useDispatchDraft().lay(table, 3)
    useDispatchDraft().lay(without(table, 'a'), 4)
    setActivePinia(createPinia())
    as('zhiban')
    expect(useLimitsDraft().change.fallback).toBe('5天')
    expect([useDispatchDraft().draft?.base, ids(useDispatchDraft().draft?.table as Table)]).toEqual([3, ['b', 'c']])
    as('lingdao')
    expect([useLimitsDraft().keys, useDispatchDraft().draft]).toEqual([[], null])
    vi.unstubAllGlobals()
  })
})

describe('a sheet that was read', () => {
  it('tells of a change what differs, with both sides', () => {
    expect(differences({ key: 'water', change: 'changed', before: { name: 'a' }, after: { name: 'b', code: 'x' } })).toEqual([
      { name: 'name', before: 'a', after: 'b' },
      { name: 'code', before: '', after: 'x' },
    ])
    expect(differences({ key: 'water', change: 'removed', before: {}, after: {} })).toEqual([])
    expect(passwordLines({ wang: 'p1', li: 'p2' })).toBe('\ufeffwang,p1\r\nli,p2\r\n')
  })
})
