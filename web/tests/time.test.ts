import { describe, expect, it } from 'vitest'

import { dateTime, fromWall, fullHour, hourMinute, midnight, shortTime, span, weekday, zoneOffset } from '../src/city/time'
import { typeable, typedTime } from '../src/shared/period'

const SHENZHEN = 'Asia/Shanghai'
const BOSTON = 'America/New_York'
const start = Date.parse('2026-03-08T22:30:00Z')

describe('city time', () => {
  it('is shown in the zone of the city, wherever the browser is', () => {
    expect(hourMinute(start, SHENZHEN)).toBe('06:30')
    expect(hourMinute(start, BOSTON)).toBe('18:30')
    expect(dateTime(start, SHENZHEN, start)).toBe('03-09 06:30')
    expect(dateTime(start, SHENZHEN, Date.parse('2027-01-01T00:00:00Z'))).toBe('2026-03-09 06:30')
  })

  it('names the weekday in both languages', () => {
    expect(weekday(start, SHENZHEN, 'zh-CN')).toBe('周一')
    expect(weekday(start, SHENZHEN, 'en')).toBe('Mon')
  })

  it('shows the day only for other days', () => {
    expect(shortTime(start, SHENZHEN, start + 3_600_000)).toBe('06:30')
    expect(shortTime(start, SHENZHEN, start + 86_400_000)).toBe('03-09 06:30')
  })

  it('begins its day at the midnight of the city', () => {
    expect(new Date(midnight(start, SHENZHEN)).toISOString()).toBe('2026-03-08T16:00:00.000Z')
    expect(new Date(fullHour(start, SHENZHEN)).toISOString()).toBe('2026-03-08T22:00:00.000Z')
  })

  it('finds midnight on the day on which Boston turns its clocks', () => {
    const noon = Date.parse('2026-03-08T16:00:00Z')
    expect(new Date(midnight(noon, BOSTON)).toISOString()).toBe('2026-03-08T05:00:00.000Z')
    expect(new Date(fromWall('2026-03-08T12:00:00', BOSTON)).toISOString()).toBe('2026-03-08T16:00:00.000Z')
    expect(zoneOffset(noon, BOSTON)).toBe(-4 * 3_600_000)
  })

  it('says a length in at most two units', () => {
    expect(span(45)).toMatchObject({ unit: 's', s: 45 })
    expect(span(-600)).toMatchObject({ unit: 'm', m: 10 })
    expect(span(7500)).toMatchObject({ unit: 'hm', h: 2, m: 5 })
    expect(span(7230)).toMatchObject({ unit: 'h', h: 2 })
    expect(span(172_800)).toMatchObject({ unit: 'd', d: 2 })
    expect(span(183_600)).toMatchObject({ unit: 'dh', d: 2, h: 3 })
  })
})

describe('a typed time', () => {
  it('is taken in city time', () => {
    expect(typedTime('2026-03-09 06:30', SHENZHEN)).toBe('2026-03-08T22:30:00.000Z')
    expect(typedTime('2026-3-9', SHENZHEN)).toBe('2026-03-08T16:00:00.000Z')
    expect(typeable('2026-03-08T22:30:00Z', SHENZHEN)).toBe('2026-03-09 06:30')
  })

  it('may be empty, and is refused when there is no such time', () => {
    expect(typedTime('', SHENZHEN)).toBe('')
    for (const wrong of ['yesterday', '2026-02-30', '2026-03-09 25:00', '09/03/2026']) expect(typedTime(wrong, SHENZHEN), wrong).toBeNull()
    expect(typeable('nonsense', SHENZHEN)).toBe('')
  })
})
