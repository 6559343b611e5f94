/** Emergencies, asked of the server; and their short names. */
import { call } from '../api/call'
import type { Schemas } from '../api/types'

export type Kind = Schemas['KindView']
export type Line = Schemas['ResponseLine']
export type Response = Schemas['ResponseView']
export type Level = Line['level']
export type Contact = Response['contacts'][number]
export type Task = Response['tasks'][number]
export type Resource = Response['resources'][number]
export type Assignment = Response['assignments'][number]

export const LEVELS: readonly Level[] = ['IV', 'III', 'II', 'I']
/** The colour of a level of response: Ⅳ blue, Ⅲ yellow, Ⅱ orange, Ⅰ red. */
export const COLOURS: Record<Level, string> = { IV: 'blue', III: 'yellow', II: 'orange', I: 'red' }

const at = (id: string): string => encodeURIComponent(id)
const post = (path: string, body: object = {}) => call<Response>('POST', `/responses/${path}` as '/responses', { body })

export const responses = {
  kinds: () => call<Kind[]>('GET', '/response-kinds'),
  get: (id: string) => call<Response>('GET', `/responses/${at(id)}`),
  open: (body: object) => call<Response>('POST', '/responses', { body }),
  level: (id: string, level: Level, reason: string) => post(`${at(id)}/level`, { level, reason }),
  acknowledge: (id: string, contact: string, name: string) => post(`${at(id)}/contacts/${at(contact)}/acknowledge`, { name }),
  addTask: (id: string, body: object) => post(`${at(id)}/tasks`, body),
  moveTask: (id: string, task: string, move: 'take' | 'done' | 'drop', words: string) => post(`${at(id)}/tasks/${at(task)}`, { move, words }),
  assign: (id: string, resource: string, count: number) => post(`${at(id)}/resources`, { resource, count }),
  moveAssignment: (id: string, assignment: string, move: 'arrive' | 'release') => post(`${at(id)}/assignments/${at(assignment)}`, { move }),
  note: (id: string, words: string) => post(`${at(id)}/log`, { words }),
  handOver: (id: string, to: string, words: string) => post(`${at(id)}/hand-over`, { to, words }),
  accept: (id: string) => post(`${at(id)}/hand-over/accept`),
  end: (id: string, reason: string) => post(`${at(id)}/end`, { reason }),
  reportLink: (id: string, format: string, language: string) => `/api/v1/responses/${at(id)}/report?format=${format}&language=${language}`,
  contactsLink: (kind: string, language: string) => `/api/v1/response-kinds/${at(kind)}/contacts?format=html&language=${language}`,
}
