/** Commands as the screens handle them: their shapes, tones, and drafts of orders. */
import { api, ask } from '../api/client'
import type { Schemas } from '../api/types'
import type { Tone } from '../shared/StateMark.vue'

export type Command = Schemas['CommandView']
export type CommandDetail = Schemas['CommandDetail']
export type CommandKind = Schemas['CommandKind']
export type CommandParameter = CommandKind['command']['parameters'][number]
export type Contact = Schemas['ContactView']
export type Rehearsed = Schemas['Rehearsed']
export type Reason = Schemas['VerdictReason']
export type Draft = Record<string, string | number | boolean | null>
type State = Command['state']

export const STATES: readonly State[] = ['proposed', 'ordered', 'sent', 'acknowledged', 'done', 'unknown', 'refused', 'expired', 'failed', 'undone']
const TONES: Record<State, Tone> = {
  proposed: 'wait',
  ordered: 'wait',
  sent: 'busy',
  acknowledged: 'busy',
  done: 'good',
  unknown: 'bad',
  refused: 'off',
  expired: 'off',
  failed: 'bad',
  undone: 'off',
}

export const toneOf = (state: State): Tone => TONES[state]

/** Whether something may still happen by itself. */
export const underWay = (state: State): boolean => ['proposed', 'ordered', 'sent', 'acknowledged'].includes(state)

/** What the fields of an order begin with. */
export function begin(parameters: readonly CommandParameter[]): Draft {
  return Object.fromEntries(parameters.map((one) => [one.id, one.default ?? (one.kind === 'flag' ? false : null)]))
}

/** A draft without what was left empty: that is for the server to name. */
export function filled(draft: Draft): Draft {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== null && value !== ''))
}

/** An order as it is sent; the same key is the same order, however often it goes out. */
export interface Wish {
  entity: string
  entity_type: string
  command: string
  parameters: Draft
  reason: string
  key: string
  exercise: boolean
}

export async function rehearse(wish: Wish): Promise<Rehearsed> {
  const body = { ...wish, parameters: filled(wish.parameters), reason: wish.reason || '–', dry_run: true }
  return (await ask(api.POST('/api/v1/commands', { body }))) as unknown as Rehearsed
}

export async function give(wish: Wish): Promise<Command> {
  const body = { ...wish, parameters: filled(wish.parameters), dry_run: false }
  return (await ask(api.POST('/api/v1/commands', { body }))) as unknown as Command
}

/** Properties that differ between two states, by id. */
export function changed(before: Record<string, unknown>, now: Record<string, unknown>): Set<string> {
  return new Set([...Object.keys(before), ...Object.keys(now)].filter((name) => before[name] !== now[name]))
}
