/** What a move is made on, and what its form sends: the same for a case and for a part of a co-handler. */
import { api, ask } from '../api/client'
import type { CaseDetail, FieldAsked, MoveOffer, Schemas } from '../api/types'

export type MoveBody = Schemas['MoveRequest']
export type Part = Schemas['CasePartView']
export type PartDetail = Schemas['CasePartDetail']
type Standing = Pick<CaseDetail, 'version' | 'moves'>

/** A part that a co-handler is to do. */
export interface WantedPart {
  department: string
  required: boolean
  demand: string
  limit: string | null
  after: string[]
}
export type FieldValue = string | WantedPart[]
export type Filled = Record<string, FieldValue>

/** Something that has moves on offer. */
export interface Mover {
  number: string
  title: string
  state: string
  version: number
  send: (body: MoveBody) => Promise<Standing>
  fresh: () => Promise<Standing>
}

export function caseMover(one: CaseDetail): Mover {
  const params = { path: { case: one.id } }
  const { number, title, state, version } = one
  return {
    ...{ number, title, state, version },
    send: (body) => ask(api.POST('/api/v1/cases/{case}/moves', { params, body })),
    fresh: () => ask(api.GET('/api/v1/cases/{case}', { params })),
  }
}

export function partMover(part: PartDetail): Mover {
  const params = { path: { task: part.id } }
  const { number, title, state, version } = part
  return {
    ...{ number, title, state, version },
    send: (body) => ask(api.POST('/api/v1/tasks/{task}/moves', { params, body })),
    fresh: () => ask(api.GET('/api/v1/tasks/{task}', { params })),
  }
}

export function anySet(offer: MoveOffer, kind: FieldAsked['kind']): boolean {
  return offer.fields.some((field) => field.kind === kind)
}

/** A field with only one answer holds it from the start. */
export function firstFields(offer: MoveOffer): Filled {
  return Object.fromEntries(offer.fields.map((field) => [field.name, field.choices?.length === 1 ? String(field.choices[0]?.[0] ?? '') : '']))
}

function empty(value: FieldValue | undefined): boolean {
  return value === undefined || value.length === 0
}

export function missingFields(offer: MoveOffer, fields: Filled, opinion: string): boolean {
  return offer.fields.some((field) => field.required && empty(fields[field.name])) || (offer.reason_needed && !opinion.trim())
}

/** What was filled in; empty fields are not sent. */
export function sentFields(fields: Filled): Filled {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !empty(value)))
}
