/** States, schedules and lags in words. */
import { span } from '../city/time'
import type { Tone } from '../shared/StateMark.vue'
import type { HeldState, Schedule, SourceState } from './types'

type Say = (key: string, named?: Record<string, unknown>) => string

export const TONES: Record<SourceState, Tone> = { running: 'good', waiting: 'wait', failing: 'bad', paused: 'off', stopped: 'off' }
export const HELD_TONES: Record<HeldState, Tone> = { open: 'bad', corrected: 'busy', settled: 'good', discarded: 'off' }

export function lengthText(seconds: number | null, say: Say): string {
  if (seconds === null) return '—'
  const size = span(seconds)
  return say(`span.${size.unit}`, { ...size })
}

export function scheduleText(schedule: Schedule, say: Say): string {
  if (schedule.kind === 'every') return say('sources.every', { span: lengthText(schedule.seconds ?? 0, say) })
  if (schedule.kind === 'daily') return say('sources.daily', { at: schedule.at ?? '' })
  return say('sources.stream')
}

/** A raw record as people read it: indented where it is JSON, else as it came. */
export function rawText(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2)
  } catch {
    return raw
  }
}

/** What somebody typed, as the JSON scalar it looks like; a field emptied on purpose is null. */
export function typedValue(text: string, before: unknown): unknown {
  if (text === '') return null
  if (typeof before === 'string') return text
  if (/^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

/** Only the fields that differ from what was sent. */
export function differences(sent: Record<string, unknown> | null, typed: Record<string, string>): Record<string, unknown> {
  const changed = Object.entries(typed).filter(([field, text]) => text !== fieldText(sent?.[field]))
  return Object.fromEntries(changed.map(([field, text]) => [field, typedValue(text, sent?.[field])]))
}

export function fieldText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
