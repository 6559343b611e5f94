import { describe, expect, it } from 'vitest'

import { Problem } from '../src/api/problem'
import type { CaseDetail } from '../src/api/types'
import { metres, ordered, taps } from '../src/field/near'
import { type Fate, sendAll, type Server } from '../src/field/sending'
import type { Job, MoveJob, ReportJob } from '../src/field/store'
import { around, codeOf, kept, type Thing } from '../src/field/things'
import { fitted, marks } from '../src/field/watermark'

const blob = new Blob(['x'], { type: 'image/jpeg' })
const common = { account: 'a', at: 1, title: 't', state: 'waiting' as const, why: '' }
const report = (id: string): ReportJob => ({ ...common, id, kind: 'report', pictures: [{ blob, kind: 'before' }], report: { title: id } as never })
const move = (id: string): MoveJob => ({ ...common, id, kind: 'move', pictures: [{ blob, kind: 'after' }], case: 'c', number: 'n', from: 'handling', move: 'submit_result', opinion: '', fields: { result: 'done' } })

function fake(more: Partial<Server> = {}): { server: Server; did: string[] } {
  const did: string[] = []
  const server: Server = {
    upload: async (picture, on) => (did.push(`upload ${picture.kind} ${on ?? 'ahead'}`), 'h'),
    report: async (sent) => did.push(`report ${sent.external_number} ${sent.attachments?.length}`),
    read: async () => ({ version: 7, state: 'handling', moves: [{ move: 'submit_result' }] }) as never,
    move: async (id, body) => did.push(`move ${id} ${body.move}@${body.version}`),
    keep: async () => undefined,
    ...more,
  }
  return { server, did }
}
async function fates(jobs: Job[], server: Server): Promise<[string, Fate][]> {
  const told: [string, Fate][] = []
  await sendAll(jobs, server, async (job, fate) => told.push([job.id, fate]))
  return told
}

describe('what has waited on a phone', () => {
  it('is sent with its photos first, a report under a number of its own', async () => {
    const { server, did } = fake()
    expect(await fates([report('r1'), move('m1')], server)).toEqual([['r1', 'sent'], ['m1', 'sent']])
    expect(did).toEqual(['upload before ahead', 'report field-r1 1', 'upload after c', 'move c submit_result@7'])
  })

  it('waits on, in order, while there is no network', async () => {
    const { server } = fake({ report: () => Promise.reject(new Problem(0, 'unreachable', 'no network')) })
    expect(await fates([report('r1'), move('m1')], server)).toEqual([['r1', 'waits']])
  })

  it('does not send a photo twice when the rest has to be tried again', async () => {
    let tries = 0
    const { server, did } = fake({ report: async () => (tries++ ? undefined : Promise.reject(new Problem(503, 'busy', ''))) })
    const job = report('r1')
    await fates([job], server)
    await fates([job], server)
    expect(did.filter((one) => one.startsWith('upload'))).toHaveLength(1)
  })

  it('is refused alone, and the next one goes', async () => {
    const { server } = fake({ report: () => Promise.reject(new Problem(422, 'invalid', 'outside the city')) })
    expect(await fates([report('r1'), move('m1')], server)).toEqual([['r1', 'refused'], ['m1', 'sent']])
  })

  it('is not done to a case that has moved on meanwhile', async () => {
    const { server, did } = fake({ read: async () => ({ version: 9, state: 'closed', moves: [] }) as never })
    expect(await fates([move('m1')], server)).toEqual([['m1', 'refused']])
    expect(did.some((one) => one.startsWith('move'))).toBe(false)
  })

  it('stays where it was refused until somebody decides', async () => {
    const { server } = fake()
    expect(await fates([{ ...report('r1'), state: 'refused' }], server)).toEqual([])
  })
})

describe('tasks near me', () => {
  const at = (id: string, lon: number, due: string | null) => ({ id, lon, lat: 22.5, due_at: due }) as unknown as CaseDetail
  it('stand by distance, and without a position by deadline', () => {
    const cases = [at('far', 114.2, '2026-03-01T00:00:00Z'), at('near', 114.01, null), at('mid', 114.1, '2026-02-01T00:00:00Z')]
    expect(ordered(cases, { lon: 114, lat: 22.5 }).map((one) => one.id)).toEqual(['near', 'mid', 'far'])
    expect(ordered(cases, null).map((one) => one.id)).toEqual(['mid', 'far', 'near'])
    expect(metres({ lon: 114, lat: 22.5 }, { lon: 114, lat: 22.501 })).toBe(111)
  })

  it('offer what carries them on, and finishing also before its photo is there', () => {
    const offer = (name: string, more = {}) => ({ move: name, to: 'next', allowed: true, fields: [], ...more })
    const one = { state: 'handling', moves: [offer('note', { to: 'handling' }), offer('submit_result', { allowed: false }), offer('assign', { fields: [{ kind: 'person', required: true }] }), offer('give_back')] } as unknown as CaseDetail
    expect(taps(one, () => false).map((found) => found.move)).toEqual(['give_back'])
    expect(taps(one, () => true).map((found) => found.move)).toEqual(['submit_result', 'give_back'])
    const back = { state: 'handling', moves: [offer('give_back', { reason_needed: true }), offer('submit_result', { reason_needed: false })] } as unknown as CaseDetail
    expect(taps(back, () => true).map((found) => found.move)).toEqual(['submit_result', 'give_back'])
  })
})

describe('the mark on a photo', () => {
  it('tells time, place and who, and says when there is no place', () => {
    expect(marks('2026-03-11 08:00', { lon: 114.0555555, lat: 22.5 }, '陈', '无定位')).toEqual(['2026-03-11 08:00', '114.05556, 22.50000', '陈'])
    expect(marks('2026-03-11 08:00', null, '', '无定位')).toEqual(['2026-03-11 08:00', '无定位'])
  })

  it('is put on a picture of at most so many pixels', () => {
    expect(fitted(4000, 3000, 1600)).toEqual({ width: 1600, height: 1200 })
    expect(fitted(800, 600, 1600)).toEqual({ width: 800, height: 600 })
  })
})

describe('things around a point', () => {
  const thing = (id: string, lon: number, code: string | null = null): Thing => ({ id, lon, lat: 23, code, metres: -1, owner: null, words: {}, values: {}, entity_type: 'X', title: { zh: id, en: id }, area: null, observed_at: null, series: null })
  const at = { lon: 114, lat: 23 }

  it('come nearest first, those of the matter’s class before all others, none out of reach', () => {
    const things = [thing('far', 114.01), thing('b', 114.001, '01001'), thing('a', 114.0005), thing('c', 114.0008, '01001')]
    expect(around(things, at, '').map((one) => [one.id, one.metres])).toEqual([['a', 51], ['c', 82], ['b', 102]])
    expect(around(things, at, 'gb47678:matter:01001').map((one) => one.id)).toEqual(['c', 'b', 'a'])
  })

  it('are kept once each, what was seen last at the end', () => {
    expect(kept([thing('a', 1), thing('b', 1)], [thing('a', 2), thing('c', 1)]).map((one) => [one.id, one.lon])).toEqual([['b', 1], ['a', 2], ['c', 1]])
    expect(codeOf('gb47678:matter:01001')).toBe('01001')
    expect(codeOf('')).toBe('')
  })
})
