/** Figures as text: unit apart from number, comparison with its direction. */
import { span } from '../city/time'

export type Format = 'integer' | 'decimal' | 'percent' | 'duration'
type Say = (key: string, named: Record<string, unknown>) => string

export interface Figure {
  text: string
  unit: string
}

/** A metric's value. Percent values are shares (0 … 1), durations are seconds. */
export function figure(value: number | null, format: Format, say: Say): Figure {
  if (value === null) return { text: '—', unit: '' }
  if (format === 'percent') return { text: (value * 100).toFixed(1), unit: '%' }
  if (format === 'duration') return duration(value, say)
  if (format === 'decimal') return { text: value.toFixed(1), unit: '' }
  return { text: Math.round(value).toLocaleString('en-US'), unit: '' }
}

function duration(seconds: number, say: Say): Figure {
  if (seconds >= 48 * 3600) return { text: (seconds / 86400).toFixed(1), unit: 'd' }
  if (seconds >= 3600) return { text: (seconds / 3600).toFixed(1), unit: 'h' }
  if (seconds >= 60) return { text: (seconds / 60).toFixed(0), unit: 'min' }
  return { text: say('span.s', span(seconds) as unknown as Record<string, unknown>), unit: '' }
}

export interface Change {
  text: string
  /** Whether the change is for the better; unknown where the metric has no good direction. */
  good: boolean | null
}

/** Against the previous value: points for shares, per cent for durations, a difference for counts. */
export function change(
  value: number | null,
  previous: number | null,
  format: Format,
  higherIsBetter: boolean | null,
): Change | null {
  if (value === null || previous === null) return null
  const delta = value - previous
  const sign = delta > 0 ? '+' : delta < 0 ? '−' : '±'
  const size = Math.abs(delta)
  let text: string
  if (format === 'percent') text = `${sign}${(size * 100).toFixed(1)} pt`
  else if (format === 'duration') text = previous === 0 ? '—' : `${sign}${((size / previous) * 100).toFixed(0)}%`
  else text = `${sign}${Math.round(size).toLocaleString('en-US')}`
  const good = higherIsBetter === null || delta === 0 ? null : delta > 0 === higherIsBetter
  return { text, good }
}

/** Text for a cell of a CSV file: quoted where needed, disarmed where a spreadsheet would run it. */
export function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A table as CSV with a mark that lets spreadsheets read Chinese. */
export function csv(head: readonly string[], body: readonly (readonly (string | number | null)[])[]): string {
  return `\uFEFF${[head, ...body].map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`
}
