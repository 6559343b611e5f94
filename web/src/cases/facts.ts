/** The facts of a timeline entry in words. Machine details that the entry says otherwise are left out. */
import type { Title } from '../api/types'

export interface FactWords {
  /** The word for a fact's name, or the name itself. */
  name: (key: string) => string
  title: (title: Title) => string
  instant: (at: string) => string
  listed: (words: readonly string[]) => string
  /** A known title of a value: a department, a matter, a post. */
  known: (value: string) => string
}

/** Said by title and opinion of the entry, or only of use to a program. */
const SILENT = new Set(['reason', 'automation', 'row', 'version', 'calendar', 'profile', 'hash'])
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/

export function isTitle(value: unknown): value is Title {
  return typeof value === 'object' && value !== null && 'zh' in value && 'en' in value
}

export function valueText(value: unknown, words: FactWords): string {
  if (value === null || value === undefined || value === '') return '—'
  if (Array.isArray(value)) return words.listed(value.map((one) => valueText(one, words)))
  if (typeof value === 'object') {
    if (isTitle(value)) return words.title(value)
    const change = value as { before?: unknown; after?: unknown }
    if ('after' in change) {
      const after = valueText(change.after, words)
      return change.before == null ? after : `${valueText(change.before, words)} → ${after}`
    }
    return JSON.stringify(value)
  }
  const text = String(value)
  return INSTANT.test(text) ? words.instant(text) : words.known(text)
}

export function factsText(facts: Record<string, unknown>, words: FactWords): string[] {
  return Object.entries(facts)
    .filter(([key, value]) => !SILENT.has(key) && value !== null && value !== '' && !(key === 'target' && 'target_number' in facts))
    .map(([key, value]) => `${words.name(key)} ${valueText(value, words)}`)
}
