/** A trial of a mapping as rows side by side: what came, what was made of it, and what was refused where. */
import type { Title } from '../api/types'

export interface Fault {
  index: number
  place: string
  column: string | null
  rule: string
  reason: Title
  /** Flagged rows are kept, refused ones are not. */
  flag: boolean
}

export interface Line {
  index: number
  place: string
  raw: string[]
  /** Nothing where the row was refused. */
  mapped: string[] | null
  faults: Fault[]
}

export interface SideBySide {
  columns: string[]
  made: string[]
  lines: Line[]
  faults: Fault[]
  notes: Title[]
  received: number
  accepted: number
  refused: number
}

interface Said {
  index: number
  place?: string
  column?: string | null
  rule: string
  said: Title
}

interface Parts {
  columns: string[]
  raw: { index: number; place: string; values: Record<string, unknown> }[]
  mapped: Map<number, Record<string, unknown>>
  refusals: readonly Said[]
  flags: readonly Said[]
  notes: Title[]
}

/** One cell in words: numbers to a millionth (a tenth of a metre), objects as JSON, nothing as nothing. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(Number(value.toFixed(6)))
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function aligned(parts: Parts): SideBySide {
  const places = new Map(parts.raw.map((row) => [row.index, row.place]))
  const fault = (one: Said, flag: boolean): Fault => ({ index: one.index, place: one.place ?? places.get(one.index) ?? String(one.index + 1), column: one.column ?? null, rule: one.rule, reason: one.said, flag })
  const faults = [...parts.refusals.map((one) => fault(one, false)), ...parts.flags.map((one) => fault(one, true))].sort((a, b) => a.index - b.index)
  const made = [...new Set([...parts.mapped.values()].flatMap((row) => Object.keys(row)))]
  const lines = parts.raw.map(({ index, place, values }) => {
    const row = parts.mapped.get(index)
    return {
      index,
      place,
      raw: parts.columns.map((column) => cellText(values[column])),
      mapped: row ? made.map((name) => cellText(row[name])) : null,
      faults: faults.filter((one) => one.index === index),
    }
  })
  const refused = new Set(parts.refusals.map((one) => one.index)).size
  return { columns: parts.columns, made, lines, faults, notes: parts.notes, received: lines.length, accepted: parts.mapped.size, refused }
}

export interface DryRunShape {
  columns: string[]
  raw: Record<string, unknown>[]
  mapped: Record<string, unknown>[]
  refusals: readonly Said[]
  notes: Title[]
}

export function ofDryRun(run: DryRunShape): SideBySide {
  const mapped = new Map(run.mapped.map(({ index, ...row }) => [Number(index), row]))
  return aligned({ ...run, raw: run.raw.map((values, index) => ({ index, place: String(index + 1), values })), mapped, flags: [] })
}

export interface TrialShape {
  received: number
  accepted: number
  refused: number
  columns: string[]
  raw: { index: number; place: string; values: Record<string, unknown> }[]
  rows: ({ index: number; values: Record<string, unknown> } & Record<string, unknown>)[]
  refusals: readonly Said[]
  flags: readonly Said[]
  notes: Title[]
}

/** Entity, time and place first, then the properties; what is empty in every row is left out. */
export function ofTrial(trial: TrialShape): SideBySide {
  const mapped = new Map(trial.rows.map(({ index, values, ...row }) => [index, { ...row, ...values }]))
  const filled = new Set([...mapped.values()].flatMap((row) => Object.entries(row).filter(([, value]) => value !== null && value !== undefined).map(([name]) => name)))
  const kept = new Map([...mapped].map(([index, row]) => [index, Object.fromEntries(Object.entries(row).filter(([name]) => filled.has(name)))]))
  return { ...aligned({ ...trial, mapped: kept }), received: trial.received, accepted: trial.accepted, refused: trial.refused }
}

/** How a rule's refusals are spread: the commonest first. */
export function byRule(faults: readonly Fault[]): { rule: string; column: string | null; count: number; first: Fault }[] {
  const groups = new Map<string, { rule: string; column: string | null; count: number; first: Fault }>()
  for (const fault of faults) {
    const key = `${fault.rule}|${fault.column}`
    const group = groups.get(key)
    if (group) group.count += 1
    else groups.set(key, { rule: fault.rule, column: fault.column, count: 1, first: fault })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}
