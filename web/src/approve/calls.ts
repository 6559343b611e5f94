/** Instant approval, asked of the server; and its short names. */
import type { Schemas } from '../api/types'
import { call } from '../api/call'
import type { Tone } from '../shared/StateMark.vue'

export type Item = Schemas['ApprovalItem']
export type Field = Item['fields'][number]
export type Receipt = Schemas['ApplicationReceipt']
export type Followed = Schemas['PublicApplication']
export type Line = Schemas['ApplicationLine']
export type Application = Schemas['ApplicationView']
export type State = Line['state']
export type Move = Schemas['ApplicationMove']['move']
export type Evidence = Application['evidence'][number]
export type Rates = Schemas['ItemRates']

export const TONES: Record<State, Tone> = { granted: 'good', handed: 'wait', refused: 'bad', revoked: 'off', appealed: 'busy' }

const at = (key: string): string => encodeURIComponent(key)

export const offered = {
  items: () => call<Item[]>('GET', '/public/items'),
  apply: (item: string, values: Record<string, unknown>) => call<Receipt>('POST', '/public/applications', { body: { item, values } }),
  follow: (number: string, code: string) => call<Followed>('GET', `/public/applications/${at(number)}`, { query: { code } }),
  appeal: (number: string, code: string, words: string) => call<Followed>('POST', `/public/applications/${at(number)}/appeal`, { body: { code, words } }),
}

export const applications = {
  items: () => call<Item[]>('GET', '/items'),
  get: (key: string) => call<Application>('GET', `/applications/${at(key)}`),
  move: (key: string, move: Move, reason: string, version: number) => call<Application>('POST', `/applications/${at(key)}/move`, { body: { move, reason, version } }),
  reproduce: (key: string) => call<Schemas['Reproduced']>('GET', `/applications/${at(key)}/reproduction`),
  rates: () => call<Rates[]>('GET', '/approval-rates'),
}

/** What is sent of a form: numbers as numbers, flags as flags, nothing that was left empty. */
export function sent(fields: readonly Field[], typed: Record<string, string>): Record<string, unknown> {
  const given = fields.filter((field) => (typed[field.id] ?? '').trim() !== '')
  return Object.fromEntries(given.map((field) => [field.id, field.kind === 'flag' ? typed[field.id] === 'true' : (typed[field.id] ?? '').trim()]))
}
