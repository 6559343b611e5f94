/** A change of the calendars being written: days of the table, announced years, and hours; the server explains it. */
import type { Schemas } from '../api/types'

export type CalendarsView = Schemas['CalendarsView']
export type CalendarPlan = Schemas['CalendarPlan']
export type CalendarChange = Schemas['CalendarChange']
export type Part = Schemas['CalendarPart']
export type Kind = Schemas['TableDay']['kind']

/** What a date of the table is to become; without a kind the weekday rule holds again. */
export interface DayWish {
  kind: Kind | null
  name: string
}

export interface Draft {
  days: Record<string, DayWish>
  years: number[] | null
  parts: Record<string, Pick<Part, 'timetables' | 'exceptions'>>
}

export const emptyDraft = (): Draft => ({ days: {}, years: null, parts: {} })

export function isEmpty(draft: Draft): boolean {
  return !Object.keys(draft.days).length && draft.years === null && !Object.keys(draft.parts).length
}

/** The change as the server reads it; hours are checked there. */
export function changeOf(draft: Draft): CalendarChange {
  return {
    days: Object.entries(draft.days)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([date, wish]) => ({ date, kind: wish.kind, name: wish.name })),
    confirmed_years: draft.years,
    calendars: draft.parts,
  } as CalendarChange
}

const ROUND: readonly (Kind | null)[] = ['holiday', 'makeup_workday', 'workday', null]

/** The next kind of a date by clicking on it; back at what the table says, the wish goes. */
export function turned(draft: Draft, table: ReadonlyMap<string, Kind>, date: string): Draft {
  const now = date in draft.days ? (draft.days[date]?.kind ?? null) : (table.get(date) ?? null)
  const next = ROUND[(ROUND.indexOf(now) + 1) % ROUND.length] ?? null
  const days = { ...draft.days, [date]: { kind: next, name: draft.days[date]?.name ?? '' } }
  if (next === (table.get(date) ?? null)) delete days[date]
  return { ...draft, days }
}

/** `08:00-12:00 14:00-18:00` as slots; whatever is between them counts as a gap. */
export function slotsOf(text: string): string[] {
  return text.split(/[\s,，、;；]+/).filter(Boolean)
}

export interface MonthDays {
  month: number
  /** Empty places before the first, for weeks that begin on Monday. */
  lead: number
  days: { date: string; day: number; weekend: boolean }[]
}

export function monthsOf(year: number): MonthDays[] {
  return Array.from({ length: 12 }, (_, month) => {
    const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    const first = new Date(Date.UTC(year, month, 1)).getUTCDay()
    const days = Array.from({ length: count }, (_, i) => {
      const weekday = (first + i) % 7
      return { date: `${year}-${String(month + 1).padStart(2, '0')}-${String(i + 1).padStart(2, '0')}`, day: i + 1, weekend: weekday === 0 || weekday === 6 }
    })
    return { month: month + 1, lead: (first + 6) % 7, days }
  })
}
