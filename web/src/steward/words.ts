/** Sizes, states and links of the catalogue in words. */
import type { RouteLocationRaw } from 'vue-router'

import type { Tone } from '../shared/StateMark.vue'
import type { GrantState } from './types'

export const GRANT_TONES: Record<GrantState, Tone> = { asked: 'wait', approved: 'good', refused: 'bad', withdrawn: 'off', revoked: 'off', expired: 'off' }

export function bytesText(bytes: number | null): string {
  if (bytes === null) return '—'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`
}

export function countText(count: number | null | undefined): string {
  return count === null || count === undefined ? '—' : Math.round(count).toLocaleString('en-US')
}

/** A value of a diff as text; objects as JSON. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '—'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The screen behind a thing of the lineage, where there is one. */
export function screenOf(kind: string, id: string): RouteLocationRaw | null {
  const name = id.includes(':') ? id.slice(id.indexOf(':') + 1) : id
  if (kind === 'source') return { name: 'source', params: { id: name } }
  if (kind === 'feed') return { name: 'feed-quality', params: { feed: name } }
  if (kind === 'dataset') return { name: 'dataset', params: { id: name } }
  if (kind === 'column') return { name: 'dataset', params: { id: name.split('.')[0] } }
  if (kind === 'code_list') return { name: 'code-list', params: { id: name } }
  if (kind === 'warning') return { name: 'warnings', query: { rule: name } }
  if (kind === 'rule') return { name: 'warnings', query: { rule: name } }
  if (kind === 'metric' || kind === 'tile') return { name: 'board' }
  if (kind === 'inspection') return { name: 'inspections' }
  if (kind === 'grant') return { name: 'grant', params: { id: name } }
  return null
}
