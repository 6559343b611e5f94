/** A mapping while somebody edits it: a line a target of the standard, and the declaration they make together. */
import type { Title } from '../api/types'
import type { Declaration, SuggestedField, Suggestion, TypeDetail } from './types'

export interface DraftLine {
  target: string
  title: Title
  column: string | null
  accepted: boolean
  confidence: number
  reasons: string[]
  /** What the declaration of this target says beyond its column: unit, codes, match, required … */
  more: Declaration
}

export interface Draft {
  id: string
  title: Title
  entity_type: string
  department: string
  datum: string
  lines: DraftLine[]
  /** Everything of the declaration that the lines do not hold. */
  rest: Declaration
}

/** Targets that every feed has, before the properties of its type. */
export const HEADS = ['entity', 'title', 'time', 'lon', 'lat'] as const
export const DATUMS = ['wgs84', 'cgcs2000', 'gcj02', 'bd09'] as const
export const TIME_FORMATS = ['iso', 'epoch_s', 'epoch_ms', 'excel', 'chinese', '%Y-%m-%d %H:%M:%S', '%Y/%m/%d %H:%M', '%Y%m%d%H%M%S'] as const
export const SURE = 0.8

function part(value: unknown): Declaration {
  if (typeof value === 'string') return { field: value }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as Declaration) } : {}
}

/** What a declaration says of a target, without the column. */
function taken(declaration: Declaration, target: string): { column: string | null; more: Declaration } {
  const entity = part(declaration.entity)
  const position = part(declaration.position)
  const text = (value: unknown): string | null => (typeof value === 'string' && value ? value : null)
  if (target === 'title') return { column: text(entity.title_field), more: {} }
  if (target === 'lon' || target === 'lat') return { column: text(position[target]) ?? text(entity[`${target}_field`]), more: {} }
  const own = target === 'entity' ? entity : target === 'time' ? part(declaration.time) : part(part(declaration.properties)[target])
  const { field, ...more } = own
  if (target === 'entity') for (const name of ['title_field', 'lon_field', 'lat_field']) delete more[name]
  return { column: text(field), more }
}

function rest(declaration: Declaration): Declaration {
  const { id: _i, title: _t, entity_type: _e, department: _d, entity: _n, time: _z, position: _p, properties: _r, ...others } = declaration
  return others
}

function lineOf(field: SuggestedField, declaration: Declaration): DraftLine {
  const said = taken(declaration, field.target)
  const { field: _f, ...own } = part(field.declaration)
  const more = Object.keys(said.more).length ? said.more : HEADS.includes(field.target as (typeof HEADS)[number]) ? {} : own
  return { target: field.target, title: field.title, column: field.column, accepted: field.column !== null && field.confidence >= SURE, confidence: field.confidence, reasons: field.reasons, more }
}

export function ofSuggestion(suggestion: Suggestion, id: string, department: string): Draft {
  const declaration = suggestion.declaration
  const order = (target: string): number => HEADS.indexOf(target as (typeof HEADS)[number])
  const lines = suggestion.fields.map((field) => lineOf(field, declaration)).sort((a, b) => (order(a.target) < 0 ? 9 : order(a.target)) - (order(b.target) < 0 ? 9 : order(b.target)))
  const title = part(declaration.title) as unknown as Title
  return { id: id || String(declaration.id ?? ''), title: title.zh ? title : { zh: '', en: '' }, entity_type: suggestion.entity_type, department: department || String(declaration.department ?? ''), datum: suggestion.datum.datum ?? 'wgs84', lines, rest: rest(declaration) }
}

/** A feed that is declared already, line by line of its type. */
export function ofDeclaration(declaration: Declaration, type: TypeDetail, heads: (target: string) => Title): Draft {
  const targets = [...HEADS.map((target) => ({ id: target as string, title: heads(target) })), ...type.properties.map((one) => ({ id: one.id, title: one.title }))]
  const lines = targets.map(({ id, title }) => {
    const { column, more } = taken(declaration, id)
    const declared = column !== null || Object.keys(more).length > 0
    return { target: id, title, column, accepted: declared, confidence: declared ? 1 : 0, reasons: [], more }
  })
  const position = part(declaration.position)
  return { id: String(declaration.id), title: declaration.title as Title, entity_type: type.id, department: String(declaration.department), datum: typeof position.datum === 'string' ? position.datum : 'wgs84', lines, rest: rest(declaration) }
}

function used(line: DraftLine | undefined): line is DraftLine {
  return !!line?.accepted && (line.column !== null || Object.keys(line.more).length > 0)
}

/** The feed as it would be declared. */
export function declarationOf(draft: Draft): Declaration {
  const by = new Map(draft.lines.map((line) => [line.target, line]))
  const own = (line: DraftLine | undefined): Declaration => (used(line) ? { ...(line.column === null ? {} : { field: line.column }), ...line.more } : {})
  const [title, lon, lat] = ['title', 'lon', 'lat'].map((name) => by.get(name))
  const entity = { ...own(by.get('entity')), ...(used(title) ? { title_field: title.column } : {}) }
  const position = used(lon) && used(lat) ? { position: { lon: lon.column, lat: lat.column, datum: draft.datum } } : {}
  const properties = draft.lines.filter((line) => !HEADS.includes(line.target as (typeof HEADS)[number]) && used(line)).map((line) => [line.target, own(line)])
  return { id: draft.id, title: draft.title, entity_type: draft.entity_type, department: draft.department, ...draft.rest, ...position, entity, time: own(by.get('time')), properties: Object.fromEntries(properties) }
}

export function changed(draft: Draft, target: string, patch: Partial<Pick<DraftLine, 'column' | 'accepted'>> & { more?: Declaration }): Draft {
  const edit = (line: DraftLine): DraftLine => {
    if (line.target !== target) return line
    const more = Object.fromEntries(Object.entries({ ...line.more, ...patch.more }).filter(([, value]) => value !== '' && value !== undefined))
    return { ...line, ...patch, more, accepted: patch.accepted ?? (patch.column === null ? false : patch.column !== undefined || line.accepted) }
  }
  return { ...draft, lines: draft.lines.map(edit) }
}

export function acceptAll(draft: Draft, least: number): Draft {
  return { ...draft, lines: draft.lines.map((line) => ({ ...line, accepted: used({ ...line, accepted: true }) && line.confidence >= least })) }
}

/** Pasted rows: a JSON array of objects, or CSV with a heading. Nothing where it is neither. */
export function pastedRows(text: string): Record<string, unknown>[] | null {
  const trimmed = text.trim()
  if (!trimmed) return null
  if (trimmed.startsWith('[') || trimmed.startsWith('{')) return jsonRows(trimmed)
  const lines = trimmed.split(/\r?\n/)
  const delimiter = ['\t', ';', ','].sort((a, b) => (lines[0] ?? '').split(b).length - (lines[0] ?? '').split(a).length)[0] as string
  const [head, ...body] = lines.map((line) => csvCells(line, delimiter))
  if (!head || head.length < 2 || !body.length) return null
  return body.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])))
}

function jsonRows(text: string): Record<string, unknown>[] | null {
  try {
    const value: unknown = JSON.parse(text)
    const rows = Array.isArray(value) ? value : [value]
    return rows.length && rows.every((row) => typeof row === 'object' && row !== null) ? (rows as Record<string, unknown>[]) : null
  } catch {
    const lines = text.split(/\r?\n/)
    return lines.length > 1 && lines.every((line) => line.startsWith('{') && line.endsWith('}')) ? jsonRows(`[${lines.join(',')}]`) : null
  }
}

function csvCells(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const char = line[i] as string
    if (char === '"' && quoted && line[i + 1] === '"') ((cell += '"'), i++)
    else if (char === '"') quoted = !quoted
    else if (char === delimiter && !quoted) (cells.push(cell), (cell = ''))
    else cell += char
  }
  return [...cells, cell].map((one) => one.trim())
}
