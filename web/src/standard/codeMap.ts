/** The map of a property's codes while it is edited: what was sent, and what the standard calls it. */
export type CodeValue = string | number | boolean

export interface CodeLine {
  sent: string
  code: CodeValue | null
}

const MOST = 60

/** What is declared first, then what the sample holds and nobody has named yet. */
export function codeLines(codes: Readonly<Record<string, CodeValue>>, sent: readonly string[]): CodeLine[] {
  const declared = Object.entries(codes).map(([value, code]) => ({ sent: value, code }))
  const others = [...new Set(sent)].filter((value) => !(value in codes)).map((value) => ({ sent: value, code: null }))
  return [...declared, ...others]
}

/** The map with one value named; no code takes it out. */
export function withCode(codes: Readonly<Record<string, CodeValue>>, sent: string, code: CodeValue): Record<string, CodeValue> {
  const { [sent]: _, ...others } = codes
  return code === '' ? others : { ...codes, [sent]: code }
}

/** The different values of a column, in the order they come. */
export function valuesOf(rows: readonly Record<string, unknown>[], column: string | null): string[] {
  if (column === null) return []
  const texts = rows.map((row) => String(row[column] ?? '').trim()).filter(Boolean)
  return [...new Set(texts)].slice(0, MOST)
}
