/** Shapes of decision tables and decisions, and how they are put into words and marks. */
import type { Schemas } from '../api/types'
import type { Tone } from '../shared/StateMark.vue'

export type TableLine = Schemas['DecisionTableLine']
export type TableView = Schemas['DecisionTableView']
export type TableCheck = Schemas['TableCheck']
export type Finding = Schemas['TableFinding']
export type TableInput = Schemas['TableInput']
export type Trial = Schemas['TableTrial']
export type Explained = Schemas['ChangeExplained']
export type Made = Schemas['DecisionLine']
export type MadeView = Schemas['DecisionView']
export type DecisionOutcome = Made['outcome']

export const TONES: Record<DecisionOutcome, Tone> = { matched: 'good', none: 'wait', error: 'bad' }
export const OUTCOMES = Object.keys(TONES) as DecisionOutcome[]
export const WEIGHTS: Record<Finding['weight'], Tone> = { error: 'bad', warning: 'wait', note: 'off' }

/** What was typed for an input, as its type: a number, yes or no, else the text; nothing typed is null. */
export function typed(text: string, type: string): unknown {
  const plain = text.trim()
  if (!plain) return null
  if (type === 'boolean') return plain === 'true'
  if (type === 'number') return Number.isFinite(Number(plain)) ? Number(plain) : plain
  return ['string', 'date', 'time', 'date and time', 'days and time duration', 'years and months duration'].includes(type) ? plain : fromJson(plain)
}

/** A list or a context is typed as JSON; anything else is a text. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Named values in one line. */
export function told(values: unknown): string {
  if (values === null || values === undefined) return '—'
  if (Array.isArray(values)) return values.map(told).join('；') || '—'
  if (typeof values === 'object') return Object.entries(values).map(([name, value]) => `${name} = ${plain(value)}`).join('，') || '—'
  return plain(values)
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '—' : JSON.stringify(value)
}
