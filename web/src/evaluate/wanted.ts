/** Which board is wanted: scheme, object, period and day, all in the address. */
import type { Schemas } from '../api/types'
import { asked } from '../shared/list'

export type Scheme = Schemas['EvaluationSchemeView']
export type Board = Schemas['Board']
export type Row = Schemas['Row']
export type Item = Schemas['ItemView']
export type WhatIfView = Schemas['WhatIfView']

export const PERIODS = ['day', 'week', 'month', 'quarter', 'year'] as const
/** Days that a look back covers by itself: some periods of each length, fewer than the server's most. */
export const LOOK_BACK: Record<string, number> = { day: 14, week: 84, month: 92, quarter: 366, year: 1096 }
export const LEVELS = ['district', 'street', 'community', 'cell'] as const
/** The parts of the address that say which board it is. */
export const NAMES = ['object', 'level', 'period', 'at', 'version', 'live'] as const

export interface Wanted {
  object?: string
  level?: string
  period?: string
  at?: string
  version?: string
  live?: string
}

/** The address as a query of the interface; a level is asked of areas only. */
export function wantedOf(one: (name: string) => string, scheme: Scheme | undefined): Wanted {
  const object = one('object') || scheme?.objects[0]
  return asked<Wanted>({
    object,
    level: object === 'area' ? one('level') || 'district' : undefined,
    period: one('period') || 'month',
    at: /^\d{4}-\d{2}-\d{2}$/.test(one('at')) ? one('at') : undefined,
    version: one('version') || undefined,
    live: one('live') || undefined,
  })
}

/** A day inside the period before or after. */
export function neighbour(board: Pick<Board, 'period' | 'previous'>, by: -1 | 1): string {
  if (by < 0) return board.previous.first
  const after = new Date(`${board.period.last}T00:00:00Z`)
  after.setUTCDate(after.getUTCDate() + 1)
  return after.toISOString().slice(0, 10)
}

export const itemOf = (row: Row, id: string): Item | undefined => row.items.find((item) => item.id === id)

/** ▲2, ▼1, or nothing where there is nothing to compare with. */
export function rankMove(change: number | null): { text: string; tone: 'up' | 'down' | 'same' } | null {
  if (change === null) return null
  if (change === 0) return { text: '—', tone: 'same' }
  return change > 0 ? { text: `▲${change}`, tone: 'up' } : { text: `▼${-change}`, tone: 'down' }
}

/** Changed weights only, and their sum over all items. */
export function changedPoints(before: Record<string, number>, typed: Record<string, number | ''>): { points: Record<string, number>; sum: number } {
  const points: Record<string, number> = {}
  let sum = 0
  for (const [id, was] of Object.entries(before)) {
    const now = typed[id]
    const value = typeof now === 'number' && Number.isFinite(now) ? now : was
    sum += value
    if (value !== was) points[id] = value
  }
  return { points, sum: Math.round(sum * 100) / 100 }
}

/** The version after one: its last number goes up. */
export function nextVersion(version: string, known: readonly string[]): string {
  const found = /^(.*?)(\d+)$/.exec(version)
  let number = found ? Number(found[2]) + 1 : 2
  const head = found?.[1] ?? `${version}.`
  while (known.includes(`${head}${number}`)) number += 1
  return `${head}${number}`
}
