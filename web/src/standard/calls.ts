/** The standard, and mappings tried against it. */
import { call, formOf } from '../api/call'
import type { CodeListDetail, CodeListLine, Declaration, StandardSummary, Suggestion, Trial, TypeDetail, TypeLine, UnitLine } from './types'

export type RawRow = Record<string, unknown>

export const standard = {
  summary: () => call<StandardSummary>('GET', '/standard'),
  types: () => call<TypeLine[]>('GET', '/standard/types'),
  type: (id: string) => call<TypeDetail>('GET', `/standard/types/${encodeURIComponent(id)}`),
  codeLists: () => call<CodeListLine[]>('GET', '/standard/code-lists'),
  codeList: (id: string, at?: string) => call<CodeListDetail>('GET', `/standard/code-lists/${encodeURIComponent(id)}`, { query: { at } }),
  units: () => call<UnitLine[]>('GET', '/standard/units'),
  feed: (id: string) => call<{ declaration: Declaration; yaml: string }>('GET', `/standard/feeds/${encodeURIComponent(id)}`),
  suggestFile: (entity_type: string, file: File) => call<Suggestion>('POST', '/standard/suggest-mapping', { form: formOf({ entity_type, file }) }),
  suggestRows: (entity_type: string, rows: RawRow[]) => call<Suggestion>('POST', '/standard/suggest-mapping', { body: { entity_type, rows } }),
  tryFile: (feed: Declaration, file: File) => call<Trial>('POST', '/standard/try-mapping', { form: formOf({ feed: JSON.stringify(feed), file }) }),
  tryRows: (feed: Declaration, rows: RawRow[]) => call<Trial>('POST', '/standard/try-mapping', { body: { feed, rows } }),
}
