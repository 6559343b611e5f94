/** Calls whose bodies the generated client cannot write (files) or whose paths are only known when they are made. */
import { ask, queryString } from './client'

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
export function call<T>(method: 'GET' | 'POST', path: string, said: Said = {}): Promise<T> {
  return ask(fetched<T>(method, `/api/v1${path}`, said))
}
