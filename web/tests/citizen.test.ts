import { describe, expect, it } from 'vitest'

import { Problem, problemFrom } from '../src/api/problem'
import { candidates, enough, fields, fromHash, minutesToWait, type Told } from '../src/citizen/report'

const blank: Told = { matter: '', description: '', lon: null, lat: null, area: '', address: '', phone: '' }

describe('a report of a citizen', () => {
  it('needs something said and somewhere', () => {
    expect(enough(blank)).toBe(false)
    expect(enough({ ...blank, matter: 'm' })).toBe(false)
    expect(enough({ ...blank, matter: 'm', lon: 114, lat: 22 })).toBe(true)
    expect(enough({ ...blank, description: '路灯不亮', area: '440304' })).toBe(true)
    expect(enough({ ...blank, description: ' ', address: '福田区' })).toBe(false)
  })

  it('sends what was filled in, and an area instead of the point that stands for it', () => {
    expect(fields({ ...blank, matter: 'm', lon: 114.0551234, lat: 22.5 })).toEqual({ matter: 'm', lon: '114.055123', lat: '22.500000' })
    expect(fields({ ...blank, matter: 'm', lon: 114, lat: 22, area: '440304', phone: '138' })).toEqual({ matter: 'm', area: '440304', phone: '138' })
  })

  it('is offered the likeliest matters where its words leave it open', () => {
    const one = { matter: 'm', title: { zh: '垃圾', en: 'Refuse' } }
    expect(candidates(problemFrom(422, { classification: { candidates: [one] } }))).toEqual([one])
    expect(candidates(problemFrom(422, { classification: { candidates: [] } }))).toEqual([])
    expect(candidates(new Problem(422, 'invalid', ''))).toBeNull()
  })

  it('is followed by a link whose code never reaches the server', () => {
    expect(fromHash('#20260309/ABCDE-FGHJK')).toEqual({ number: '20260309', code: 'ABCDE-FGHJK' })
    expect(fromHash('')).toEqual({ number: '', code: '' })
  })

  it('is told how long to wait', () => {
    expect(minutesToWait(problemFrom(429, { retry_after: 1200 }))).toBe(20)
    expect(minutesToWait(problemFrom(429, { retry_after: 5 }))).toBe(1)
    expect(minutesToWait(problemFrom(429, {}))).toBe(1)
  })
})
