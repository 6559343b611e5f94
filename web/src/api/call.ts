/** Calls with filters read from the address, or with files: paths and answers are those of the interface description. */
import { ask, queryString } from './client'
import type { paths } from './schema'

/** A path of the interface below `/api/v1`, its places filled: one that does not exist does not compile. */
type Filled<P extends string> = P extends `${infer Head}{${string}}${infer Tail}` ? `${Head}${string}${Filled<Tail>}` : P
type Below<P> = P extends `/api/v1${infer Rest}` ? Filled<Rest> : never
export type Path = Below<keyof paths>

interface Said {
  query?: object
  body?: unknown
  form?: FormData
}

async function fetched<T>(method: string, path: string, said: Said): Promise<{ data?: T; error?: unknown; response: Response }> {
  const response = await fetch(path + queryString({ ...said.query }), {
    method,
    credentials: 'same-origin',
    headers: said.body === undefined ? {} : { 'content-type': 'application/json' },
    body: said.form ?? (said.body === undefined ? undefined : JSON.stringify(said.body)),
  })
  const text = await response.text()
  const value = parsed(text)
  return response.ok ? { data: value as T, response } : { error: value, response }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The answer of a path below `/api/v1`, or a thrown problem. */
export function call<T>(method: 'GET' | 'POST', path: Path, said: Said = {}): Promise<T> {
  return ask(fetched<T>(method, `/api/v1${path}`, said))
}

/** A form of words and files, for `call`. */
export function formOf(parts: Record<string, string | File>): FormData {
  const made = new FormData()
  for (const [name, part] of Object.entries(parts)) made.append(name, part)
  return made
}
