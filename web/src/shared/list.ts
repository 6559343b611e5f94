/** What a list is made of: its columns, and one page of its rows. */
export interface Column {
  id: string
  title: string
  /** The field the server sorts by; without one the head does not sort. */
  sort?: string
  num?: boolean
}

export interface Rows<T> {
  items: readonly T[]
  total: number
}

/** What a list asks its server for. */
export interface Slice {
  page: number
  size: number
  sort: string | undefined
}

/** One choice of a filter bar, kept in the address under `name`. */
export interface Pick {
  name: string
  label: string
  options: { value: string; label: string }[]
  wide?: boolean
  multiple?: boolean
}

/** A stretch of time of a filter bar, kept in the address under two names. */
export interface Stretch {
  label: string
  from: string
  to: string
  /** Shown only once it narrows. */
  quiet?: boolean
}

/** A chip that sets several parts of the address at once. */
export interface Scope {
  id: string
  word: string
  on: boolean
  patch: Record<string, string>
}

/** The next selected index: held within the rows, entered from the top. */
export function stepped(selected: number, by: number, length: number): number {
  return length === 0 ? -1 : Math.min(length - 1, Math.max(0, selected + by))
}

/** A flag of the address. */
export function flag(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined
}

/** An instant of the address, or none where it is garbled. */
export function instant(text: string): string | undefined {
  return text && !Number.isNaN(Date.parse(text)) ? new Date(text).toISOString() : undefined
}

/** A query without what is not asked for. */
export function asked<T extends object>(query: T): T {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== '')) as T
}

/** One page of rows that are all here already: narrowed by a text, ordered by a field, cut. */
export function slicePage<T extends object>(all: readonly T[], slice: Slice, text: string, words: (row: T) => string): Rows<T> {
  const wanted = text.trim().toLowerCase()
  const found = wanted ? all.filter((row) => words(row).toLowerCase().includes(wanted)) : [...all]
  const field = slice.sort?.replace(/^-/, '')
  if (field) {
    const sign = slice.sort?.startsWith('-') ? -1 : 1
    found.sort((a, b) => sign * compared((a as Record<string, unknown>)[field], (b as Record<string, unknown>)[field]))
  }
  return { items: found.slice((slice.page - 1) * slice.size, slice.page * slice.size), total: found.length }
}

function compared(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a ?? '').localeCompare(String(b ?? ''), 'zh-CN')
}
