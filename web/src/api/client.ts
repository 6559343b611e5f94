/** The one HTTP client. Its paths and shapes come from the server's own interface description. */
import createClient from 'openapi-fetch'

import { Problem, problemFrom } from './problem'
import type { paths } from './schema'

export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' })

type Answer<T> = { data?: T; error?: unknown; response: Response }

let onSignedOut: () => void = () => {}

/** What to do when the server says that nobody is signed in (any more). */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action
}

/** Await a call: its data, or a thrown {@link Problem}. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (error) {
    throw new Problem(0, 'unreachable', error instanceof Error ? error.message : String(error))
  }
  if (answer.response.ok) return answer.data as T
  if (answer.response.status === 401) onSignedOut()
  throw problemFrom(answer.response.status, answer.error)
}

/** A query string of the given parameters, for links that the browser follows itself (exports). */
export function queryString(parameters: Record<string, unknown>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}
