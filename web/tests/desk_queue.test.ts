import { describe, expect, it } from 'vitest'

import { Problem } from '../src/api/problem'
import type { Case, CaseDetail, MoveOffer } from '../src/api/types'
import { firstFields, missingFields, sentFields } from '../src/cases/mover'
import { BOX, layout, type Picture } from '../src/cases/processLayout'
import { common, inTurn } from '../src/desk/bulk'
import { dispatching, kept, signing } from '../src/desk/queue'
import { sameQuery } from '../src/desk/views'

const title = { zh: '流转', en: 'move' }
function offer(move: string, more: Partial<MoveOffer> = {}): MoveOffer {
  return { move, title, to: 'next', allowed: true, reasons: [], reason_needed: false, fields: [], key: null, ...more }
}
const detail = (id: string, moves: MoveOffer[]): CaseDetail => ({ id, number: id, title: id, version: 1, state: 'x', moves }) as unknown as CaseDetail

describe('the keys of the desk', () => {
  it('D dispatches and S signs, each only where it is allowed', () => {
    const offers = [offer('note'), offer('assign', { allowed: false }), offer('dispatch', { key: 'd' }), offer('submit_result', { key: 's' })]
    expect(dispatching(offers)?.move).toBe('dispatch')
    expect(signing(offers)?.move).toBe('submit_result')
    expect(signing([offer('submit_result', { key: 's' }), offer('assign', { key: 'a' })])?.move).toBe('assign')
    expect(dispatching([offer('dispatch', { allowed: false })])).toBeUndefined()
  })

  it('the selection stays on its case, or on the place of a case that has gone', () => {
    const rows = (...ids: string[]) => ids.map((id) => ({ id }) as Case)
    expect(kept(rows('a', 'b', 'c'), 1, rows('x', 'a', 'b'))).toBe(2)
    expect(kept(rows('a', 'b', 'c'), 1, rows('a', 'c'))).toBe(1)
    expect(kept(rows('a'), 0, [])).toBe(-1)
  })
})

describe('a bulk move', () => {
  it('offers what some can do, and says why the others cannot', () => {
    const no = { zh: '不是本部门', en: 'not yours' }
    const cases = [detail('1', [offer('accept'), offer('note')]), detail('2', [offer('note'), offer('accept', { allowed: false, reasons: [no] })]), detail('3', [offer('note')])]
    const found = common(cases)
    expect(found.map((one) => [one.offer.move, one.able])).toEqual([['note', ['1', '2', '3']], ['accept', ['1']]])
    expect(found[1]?.unable).toEqual([{ id: '2', reasons: [no] }, { id: '3', reasons: [] }])
  })

  it('goes on after a refusal and keeps its reason', async () => {
    const told: string[] = []
    const act = (id: string): Promise<void> => (id === 'b' ? Promise.reject(new Problem(409, 'conflict', 'older')) : Promise.resolve())
    const made = await inTurn(['a', 'b', 'c'], act, () => false, (one) => told.push(one.id))
    expect(told).toEqual(['a', 'b', 'c'])
    expect(made.outcomes.map((one) => one.problem?.detail ?? '')).toEqual(['', 'older', ''])
  })

  it('stops when it is told to, with what was done', async () => {
    const done: string[] = []
    const made = await inTurn(['a', 'b', 'c'], async (id) => void done.push(id), () => done.length === 2, () => undefined)
    expect([made.stopped, done]).toEqual([true, ['a', 'b']])
  })
})

describe('the form of a move', () => {
  const choice = offer('decline', { reason_needed: true, fields: [{ name: 'reason', title, kind: 'choice', required: true, choices: [['only', title]] }, { name: 'parts', title, kind: 'parts', required: false, choices: [] }] as unknown as MoveOffer['fields'] })
  it('holds the only answer, wants what is needed, and sends nothing empty', () => {
    const fields = firstFields(choice)
    expect(fields.reason).toBe('only')
    expect(missingFields(choice, fields, '')).toBe(true)
    expect(missingFields(choice, fields, 'because')).toBe(false)
    expect(sentFields({ ...fields, parts: [] })).toEqual({ reason: 'only' })
  })
})

describe('a saved filter', () => {
  it('is the present one whatever page or case is open', () => {
    expect(sameQuery({ light: 'red', page: '2', case: 'x' }, { light: 'red' })).toBe(true)
    expect(sameQuery({ light: 'red' }, { light: 'green' })).toBe(false)
  })
})

describe('the process picture', () => {
  const state = (id: string, stage: number, visits = 0) => ({ id, title, stage, final: false, visits, entered_at: null })
  const way = (origin: string, to: string, taken = 0, ahead = false) => ({ origin, to, moves: [title], taken, ahead })
  const picture: Picture = {
    workflow: 'w@1',
    state: 'b',
    states: [state('draft', 1), state('a', 1, 1), state('b', 2, 1), state('c', 2), state('d', 4)],
    ways: [way('draft', 'a'), way('a', 'b', 1), way('b', 'c', 0, true), way('c', 'd'), way('b', 'a', 0, true)],
  }
  it('puts stages into columns and leaves out a state that no case comes to', () => {
    const made = layout(picture)
    expect(made.boxes.map((box) => box.state.id)).toEqual(['a', 'b', 'c', 'd'])
    expect(made.stages.map((one) => one.stage)).toEqual([1, 2, 4])
    const places = made.boxes.map((box) => `${box.x},${box.y}`)
    expect(new Set(places).size).toBe(places.length)
    expect(Math.max(...made.boxes.map((box) => box.x + BOX.width))).toBeLessThanOrEqual(made.width)
  })

  it('draws the way taken over the ways ahead, and those over all others', () => {
    expect(layout(picture).lines.map((line) => line.kind)).toEqual(['other', 'ahead', 'ahead', 'taken'])
  })
})
