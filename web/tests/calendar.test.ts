import { describe, expect, it } from 'vitest'

import { changeOf, emptyDraft, isEmpty, type Kind, monthsOf, slotsOf, turned } from '../src/city/calendarDraft'

const table = new Map<string, Kind>([['2026-10-01', 'holiday']])

describe('a draft of the calendars', () => {
  it('turns a day through what it can be, and forgets it where the table says so already', () => {
    const kinds: (Kind | null | undefined)[] = []
    let draft = emptyDraft()
    for (let n = 0; n < 4; n += 1) {
      draft = turned(draft, table, '2026-10-01')
      kinds.push(draft.days['2026-10-01']?.kind)
    }
    expect(kinds).toEqual(['makeup_workday', 'workday', null, undefined])
    expect(isEmpty(draft)).toBe(true)
  })

  it('of a plain day begins with a day off', () => {
    expect(turned(emptyDraft(), table, '2026-03-11').days['2026-03-11']?.kind).toBe('holiday')
  })

  it('is sent with its days in order, and with years only where they differ', () => {
    const draft = turned(turned(emptyDraft(), table, '2026-12-31'), table, '2026-03-11')
    expect(changeOf(draft)).toEqual({ days: [{ date: '2026-03-11', kind: 'holiday', name: '' }, { date: '2026-12-31', kind: 'holiday', name: '' }], confirmed_years: null, calendars: {} })
  })

  it('reads hours however they are parted', () => {
    expect(slotsOf('08:00-12:00，14:00-18:00 ')).toEqual(['08:00-12:00', '14:00-18:00'])
    expect(slotsOf('')).toEqual([])
  })
})

describe('a year', () => {
  it('begins its weeks on Monday and knows its leap day', () => {
    const [january, february] = monthsOf(2028)
    expect(january?.lead).toBe(5)
    expect(february?.days).toHaveLength(29)
    expect(february?.days[0]).toEqual({ date: '2028-02-01', day: 1, weekend: false })
    expect(monthsOf(2026)[2]?.days.filter((day) => day.weekend).map((day) => day.day)).toEqual([1, 7, 8, 14, 15, 21, 22, 28, 29])
  })
})
