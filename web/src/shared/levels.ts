/** Warning levels: order, numerals. Colour is never the only sign of a level. */
import type { Level } from '../api/types'

export const LEVELS: readonly Level[] = ['red', 'orange', 'yellow', 'blue']
export const NUMERAL: Readonly<Record<Level, string>> = { red: 'Ⅰ', orange: 'Ⅱ', yellow: 'Ⅲ', blue: 'Ⅳ' }
const RANK: Readonly<Record<Level, number>> = { red: 4, orange: 3, yellow: 2, blue: 1 }

export function rank(level: Level): number {
  return RANK[level]
}

export function isLevel(text: string): text is Level {
  return text in RANK
}

/** Gravest first, then newest first. */
export function graver(a: { level: Level; raised_at: string }, b: { level: Level; raised_at: string }): number {
  return RANK[b.level] - RANK[a.level] || (a.raised_at < b.raised_at ? 1 : a.raised_at > b.raised_at ? -1 : 0)
}
