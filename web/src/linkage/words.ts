/** How plans, runs and tasks are put into words and marks. */
import type { Tone } from '../shared/StateMark.vue'
import type { Effect, Run, Task } from './types'

export const RUN_TONES: Record<Run['state'], Tone> = { running: 'busy', paused: 'off', manual: 'wait', done: 'good', ended: 'off', failed: 'bad' }
export const TASK_TONES: Record<Task['state'], Tone> = { open: 'wait', taken: 'busy', done: 'good', rejected: 'off', gone: 'off' }
export const EFFECT_TONES: Record<Effect['state'], Tone> = { waiting: 'wait', asked: 'busy', done: 'good', failed: 'bad', skipped: 'off', gone: 'off', undone: 'off' }
export const RUN_STATES = Object.keys(RUN_TONES) as Run['state'][]

/** A JSON object that somebody typed; an empty text is an empty one, anything else is `null`. */
export function objectOf(text: string): Record<string, unknown> | null {
  if (!text.trim()) return {}
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** A value of a form or of an effect as people read it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '—'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
