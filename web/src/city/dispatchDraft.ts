/** The table of responsibility being changed: rows in order, and what each says in words. The server checks it. */
import { defineStore } from 'pinia'

import type { Schemas } from '../api/types'
import { useTabDraft } from '../shared/tabDraft'

export type Table = Schemas['ResponsibilityFile']
export type Row = Schemas['ResponsibilityRow']
export type DispatchPlan = Schemas['ResponsibilityPlan']
export type DispatchView = Schemas['ResponsibilityView']
export type Proposal = Schemas['DispatchProposal']

/** Instead of a department: whichever the source itself names. */
export const AS_NAMED = 'as_named'

export const newRow = (id: string): Row => ({ id, title: { zh: '', en: '' }, matters: [], areas: [], owners: [], channels: [], weekdays: [], hours: null, department: null, candidates: [], co_handlers: [] })

/** An id that no row has yet. */
export function freeId(table: Table): string {
  const taken = new Set(table.rows.map((row) => row.id))
  let n = table.rows.length + 1
  while (taken.has(`row-${n}`)) n += 1
  return `row-${n}`
}

/** The row at a place, in the stead of the one that had the id; at the end where none had. */
export function put(table: Table, id: string | null, row: Row, place: number): Table {
  const rest = table.rows.filter((one) => one.id !== id)
  const at = Math.min(Math.max(0, place), rest.length)
  return { ...table, rows: [...rest.slice(0, at), row, ...rest.slice(at)] }
}

export function moved(table: Table, id: string, by: number): Table {
  const at = table.rows.findIndex((row) => row.id === id)
  const row = table.rows[at]
  return row ? put(table, id, row, at + by) : table
}

export const without = (table: Table, id: string): Table => ({ ...table, rows: table.rows.filter((row) => row.id !== id) })

/** Who may lead by a row: one department, or equals. */
export const leads = (row: Row): string[] => (row.department ? [row.department] : [...(row.candidates ?? [])])

/** A row with other leads: one is the department, several are equals. */
export function led(row: Row, names: readonly string[]): Row {
  const one = names.length === 1 ? (names[0] ?? null) : null
  return { ...row, department: one, candidates: one ? [] : [...names] }
}

export const same = (a: Table, b: Table): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What differs from the table in force, for marking rows: by id, `added`, `changed` or `moved`. */
export function marks(before: Table, after: Table): Map<string, 'added' | 'changed' | 'moved'> {
  const old = new Map(before.rows.map((row) => [row.id, row]))
  const found = new Map<string, 'added' | 'changed' | 'moved'>()
  const stayed = longestKept(
    before.rows.map((row) => row.id),
    after.rows.map((row) => row.id),
  )
  for (const row of after.rows) {
    const was = old.get(row.id)
    if (!was) found.set(row.id, 'added')
    else if (JSON.stringify(was) !== JSON.stringify(row)) found.set(row.id, 'changed')
    else if (!stayed.has(row.id)) found.set(row.id, 'moved')
  }
  return found
}

/** The ids that keep their order from one list to the other: as many as can. */
function longestKept(before: readonly string[], after: readonly string[]): Set<string> {
  const places = after.map((id) => before.indexOf(id))
  const best: { length: number; back: number }[] = []
  places.forEach((place, i) => {
    let [length, back] = [place < 0 ? 0 : 1, -1]
    for (let j = 0; j < i && place >= 0; j += 1) {
      if ((places[j] ?? -1) >= 0 && (places[j] ?? 0) < place && (best[j]?.length ?? 0) + 1 > length) [length, back] = [(best[j]?.length ?? 0) + 1, j]
    }
    best.push({ length, back })
  })
  const kept = new Set<string>()
  let at = best.reduce((top, one, i) => (one.length > (best[top]?.length ?? 0) ? i : top), 0)
  while (at >= 0 && (best[at]?.length ?? 0) > 0) {
    kept.add(after[at] ?? '')
    at = best[at]?.back ?? -1
  }
  return kept
}

/** The rows that speak of a text, a department or a matter, each with its number in the table. */
export function narrowed(table: Table, wanted: { text: string; department: string }, words: (row: Row) => string): { row: Row; number: number }[] {
  const text = wanted.text.trim().toLowerCase()
  return table.rows
    .map((row, i) => ({ row, number: i + 1 }))
    .filter(({ row }) => !wanted.department || leads(row).includes(wanted.department) || (row.co_handlers ?? []).some((one) => one.department === wanted.department))
    .filter(({ row }) => !text || words(row).toLowerCase().includes(text))
}

/** The table as it is being changed, and the version that it was begun over. */
export const useDispatchDraft = defineStore('dispatch-draft', () => {
  const draft = useTabDraft<{ table: Table; base: number } | null>('dispatch', null)

  function lay(table: Table, base: number): void {
    draft.value = { table, base: draft.value?.base ?? base }
  }
  function clear(): void {
    draft.value = null
  }
  return { draft, lay, clear }
})
