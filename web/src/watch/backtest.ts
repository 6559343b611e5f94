/** A backtest as its page shows it. */
import type { Schemas } from '../api/types'

export type Backtest = Schemas['BacktestView']
export type Report = Schemas['RuleReport']
export const AT_WORK = ['waiting', 'running']

/** Every day of a report's period in the city's calendar, also those without warnings. */
export function daysOf(report: Pick<Report, 'start' | 'end' | 'days'>, dayOf: (instant: number) => string): Report['days'] {
  const known = new Map(report.days.map((one) => [one.day, one]))
  const days: Report['days'] = []
  const last = dayOf(Date.parse(report.end) - 1)
  for (let day = dayOf(Date.parse(report.start)); day <= last; day = after(day)) days.push(known.get(day) ?? { day, levels: {} })
  return days
}

function after(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}
