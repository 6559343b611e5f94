import { describe, expect, it } from 'vitest'

import { areasNamed } from '../src/cases/places'
import { changedPoints, neighbour, nextVersion, rankMove, type Scheme, wantedOf } from '../src/evaluate/wanted'

const scheme = { id: 'handling', objects: ['department', 'area'] } as unknown as Scheme
const ask = (values: Record<string, string>) => wantedOf((name) => values[name] ?? '', scheme)

describe('a scoreboard', () => {
  it('opens at the first object of its scheme, by month', () => {
    expect(ask({})).toEqual({ object: 'department', period: 'month' })
  })

  it('asks a level of areas only, and no day that is none', () => {
    expect(ask({ object: 'area', at: 'yesterday' })).toEqual({ object: 'area', level: 'district', period: 'month' })
    expect(ask({ level: 'street', at: '2026-03-01' })).toEqual({ object: 'department', period: 'month', at: '2026-03-01' })
  })

  it('steps to the period before and the one after', () => {
    const period = (first: string, last: string) => ({ kind: 'month', start: '', end: '', first, last, title: { zh: '', en: '' } }) as never
    const board = { period: period('2026-02-01', '2026-02-28'), previous: period('2026-01-01', '2026-01-31') }
    expect([neighbour(board, -1), neighbour(board, 1)]).toEqual(['2026-01-01', '2026-03-01'])
  })

  it('says who moved by sign and number', () => {
    expect([2, -1, 0].map((n) => rankMove(n)?.text)).toEqual(['▲2', '▼1', '—'])
    expect(rankMove(null)).toBeNull()
  })
})

describe('changed weights', () => {
  it('are only those that differ; an emptied field keeps its weight', () => {
    expect(changedPoints({ a: 30, b: 20, c: 50 }, { a: 25, b: 25, c: '' })).toEqual({ points: { a: 25, b: 25 }, sum: 100 })
  })

  it('make a version that is not there yet', () => {
    expect(nextVersion('1', ['1', '2'])).toBe('3')
    expect(nextVersion('1-handled', ['1-handled'])).toBe('1-handled.2')
  })
})

describe('a place by name', () => {
  const area = (code: string, zh: string, placed = true) => ({ code, title: { zh, en: code }, level: 'cell', parent: null, local: false, centre: placed ? { lon: 1, lat: 2 } : null }) as never
  it('is found by part of its name or code, the smaller area first', () => {
    const areas = [area('4403', '深圳'), area('440304', '福田区'), area('440304001', '福田1号网格'), area('440305', '福田外', false)]
    expect(areasNamed(areas, '福田', 5).map((one) => one.id)).toEqual(['440304001', '440304'])
    expect(areasNamed(areas, ' ', 5)).toEqual([])
  })
})
