/** Codes as a tree drawn in rows: parents before their children, each with its depth. */
import type { Code } from './types'

export interface CodeRow extends Code {
  depth: number
}

export function codeRows(codes: readonly Code[], text = ''): CodeRow[] {
  const known = new Set(codes.map((code) => code.code))
  const children = new Map<string, Code[]>()
  for (const code of codes) {
    const parent = code.parent && known.has(code.parent) ? code.parent : ''
    children.set(parent, [...(children.get(parent) ?? []), code])
  }
  const made: CodeRow[] = []
  const seen = new Set<string>()
  const walk = (parent: string, depth: number): void => {
    for (const code of children.get(parent) ?? []) {
      if (seen.has(code.code)) continue
      seen.add(code.code)
      made.push({ ...code, depth })
      walk(code.code, depth + 1)
    }
  }
  walk('', 0)
  // A ring of parents has no root; its members still must be seen.
  for (const code of codes) if (!seen.has(code.code)) made.push({ ...code, depth: 0 })
  const wanted = text.trim().toLowerCase()
  return wanted ? made.filter((row) => [row.code, row.title.zh, row.title.en, ...row.synonyms].some((word) => word.toLowerCase().includes(wanted))) : made
}
