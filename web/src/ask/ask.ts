/** Asking questions, and taking a part out of what was understood. */
import { shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { QueryRequest, Schemas } from '../api/types'

export type Answer = Schemas['AskAnswer']
export type Chip = Schemas['Chip']
export type Choice = Schemas['AskChoice']

export interface Turn {
  question: string
  answer: Answer
}

/** What was asked in this session, newest first; gone with the page. */
export const turns = shallowRef<Turn[]>([])
const MOST_TURNS = 30

export const LONGEST = 500
/** The limit of a query that asks for no first few. */
export const UNLIMITED = 1000

function keep(turn: Turn): void {
  turns.value = [turn, ...turns.value].slice(0, MOST_TURNS)
}

/** Ask; the query of the last answer is what a follow-up changes. */
export async function put(question: string): Promise<void> {
  const before = turns.value.find((turn) => turn.answer.query)?.answer.query ?? null
  const body = { question, context: { query: before as QueryRequest | null } }
  keep({ question, answer: (await ask(api.POST('/api/v1/ask', { body }))) as Answer })
}

/** Answer a query that was chosen or changed by hand. */
export async function putQuery(question: string, query: QueryRequest, why: boolean): Promise<void> {
  keep({ question, answer: (await ask(api.POST('/api/v1/ask/query', { body: { query, why } }))) as Answer })
}

/** Whether a part can be taken out: never the last metric, and the period only where it is one. */
export function removable(query: QueryRequest, chip: Chip): boolean {
  if (chip.kind === 'metric') return query.metrics.length > 1
  return chip.kind !== 'period' || chip.key !== 'all'
}

/** The query without one part, and without what cannot stand without it. */
export function without(query: QueryRequest, chip: Chip): QueryRequest {
  const next: QueryRequest = structuredClone(query)
  if (chip.kind === 'period') Object.assign(next, { start: null, end: null, compare: 'none' })
  else if (chip.kind === 'grain') next.grain = null
  else if (chip.kind === 'compare') next.compare = 'none'
  else if (chip.kind === 'limit') next.limit = UNLIMITED
  else if (chip.kind === 'metric') next.metrics = next.metrics.filter((name) => name !== chip.key)
  else if (chip.kind === 'dimension') next.dimensions = next.dimensions.filter((name) => name !== chip.key)
  else if (chip.kind === 'filter') next.filters = next.filters.filter((item) => item.dimension !== chip.key)
  else if (chip.kind === 'calendar') next.calendar = next.calendar.filter((part) => part !== chip.key)
  else if (chip.kind === 'derive') next.derive = next.derive.filter((item) => `${item.metric}__${item.as}` !== chip.key)
  else if (chip.kind === 'having') next.having = next.having.filter((item) => item.metric !== chip.key)
  else next.order = next.order.filter((item) => item.by !== chip.key)
  return standing(next)
}

function standing(query: QueryRequest): QueryRequest {
  const timed = (how: string): boolean => ['cumulative', 'moving_average'].includes(how)
  const changes = (how: string): boolean => ['change', 'change_rate'].includes(how)
  const derive = query.derive.filter((item) => {
    if (!query.metrics.includes(item.metric) || (timed(item.as) && !query.grain)) return false
    if (changes(item.as) && query.compare === 'none' && !query.grain) return false
    return item.as !== 'share' || !item.over || query.dimensions.includes(item.over)
  })
  const figures = [...query.metrics, ...derive.map((item) => `${item.metric}__${item.as}`)]
  const rows = query.dimensions.length > 0 || Boolean(query.grain)
  return {
    ...query,
    derive,
    having: rows ? query.having.filter((item) => figures.includes(item.metric)) : [],
    order: rows ? query.order.filter((item) => [...figures, ...query.dimensions].includes(item.by) || (item.by === 'time' && Boolean(query.grain))) : [],
    limit: rows ? query.limit : UNLIMITED,
  }
}
