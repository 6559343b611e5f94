/** A rule that is being written, as plain values: its kind, the keys of a form, and where a fault belongs. */
import type { Level, Schemas } from '../api/types'

export type Draft = Record<string, unknown>
export type Language = Schemas['RuleLanguage']
export type Kind = Schemas['RuleKind']
export type Field = Schemas['RuleField']
export type Section = Schemas['FieldSection']
export type Fault = Schemas['DraftFault']
export type Entry = Schemas['RuleBookEntry']

/** The kind of a draft: that of its aggregate whose marks the draft has all, and of several the one with most. */
export function kindOf(draft: Draft, kinds: readonly Kind[]): Kind | undefined {
  const fits = kinds.filter((kind) => kind.aggregate === draft.aggregate && (kind.marks ?? []).every((mark) => mark in draft))
  return fits.sort((a, b) => (b.marks ?? []).length - (a.marks ?? []).length)[0]
}

/** What another kind makes of a draft: keys that are out of place go, those it begins with come. */
export function asKind(draft: Draft, kind: Kind): Draft {
  const kept = Object.entries(draft).filter(([key]) => kind.keys.includes(key))
  const { levels, ...start } = kind.start as Draft
  return { ...start, ...Object.fromEntries(kept), ...(kind.measures === 'property' && draft.levels ? {} : { levels }), aggregate: kind.aggregate }
}

/** The sections of a form, with the keys that a kind has; empty ones are left out. */
export function sectionsOf(kind: Kind, sections: readonly Section[]): Section[] {
  return sections
    .map((section) => ({ ...section, fields: section.fields.filter((field) => kind.keys.includes(field.key)) }))
    .filter((section) => section.fields.length > 0)
}

export function blank(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.values(value).every(blank)
}

/** The same with another value under a key; what is blank goes, so that the default counts. */
export function withKey<T extends object>(whole: T, key: string, value: unknown): T {
  const next = { ...whole } as Record<string, unknown>
  if (blank(value)) delete next[key]
  else next[key] = value
  return next as T
}

/** Faults to be shown at a field: its own, and where it has no fields of its own all below it. */
export function faultsAt(faults: readonly Fault[], path: string, leaf: boolean): Fault[] {
  return faults.filter((fault) => fault.key === path || (leaf && fault.key.startsWith(`${path}.`)))
}

/** A version beyond this one: a number counts on, anything else gets one. */
export function nextVersion(version: string): string {
  const parts = /^(.*?)(\d+)$/.exec(version)
  return parts ? `${parts[1]}${Number(parts[2]) + 1}` : `${version}.1`
}

/** What somebody typed as a duration: a bare number is seconds. */
export function typedDuration(text: string): string | number {
  const trimmed = text.trim()
  return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed
}

/** Polygons as lines of `lon,lat lon,lat …`, and back; what is no number stays out. */
export function ringsText(rings: unknown): string {
  return Array.isArray(rings) ? rings.map((ring) => (ring as [number, number][]).map(([lon, lat]) => `${lon},${lat}`).join(' ')).join('\n') : ''
}
export function typedRings(text: string): [number, number][][] {
  const rings = text.split('\n').map((line) => line.trim().split(/\s+/).flatMap((pair): [number, number][] => {
    const [lon, lat] = pair.split(',').map(Number)
    return pair && lon !== undefined && lat !== undefined && Number.isFinite(lon) && Number.isFinite(lat) ? [[lon, lat]] : []
  }))
  return rings.filter((ring) => ring.length > 0)
}

/** Thresholds moved so that the lowest stands there, the others as far from it as before. */
export function shifted(levels: Partial<Record<Level, number>>, lowest: number): Partial<Record<Level, number>> {
  const order: Level[] = ['blue', 'yellow', 'orange', 'red']
  const first = order.map((level) => levels[level]).find((value) => value !== undefined) ?? lowest
  const moved = order.flatMap((level) => (levels[level] === undefined ? [] : [[level, Number((levels[level] + lowest - first).toPrecision(6))]]))
  return Object.fromEntries(moved) as Partial<Record<Level, number>>
}

/** Any value of a declaration in one line. */
export function said(value: unknown): string {
  if (value === null || value === undefined) return '—'
  return typeof value === 'object' ? JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ').replaceAll(':', ': ') : String(value)
}

export interface Version {
  /** 0 is that of the pack. */
  number: number
  version: string
  at: string
  by: string
  reason: string
  inForce: boolean
  declaration: Draft | null
}

/** Every version that was applied, the newest first, and the pack's at the end. */
export function versionsOf(entry: Entry): Version[] {
  const applied = entry.versions.map(({ number, version, at, by, reason, in_force: inForce, declaration }) => ({ number, version, at, by, reason, inForce, declaration: declaration as Draft | null }))
  const pack = entry.pack as Draft | null
  return pack ? [...applied, { number: 0, version: String(pack.version), at: '', by: '', reason: '', inForce: entry.origin === 'pack', declaration: pack }] : applied
}

/** The keys in which two declarations differ. */
export function changesBetween(before: Draft | null, after: Draft | null): { key: string; before: unknown; after: unknown }[] {
  const keys = [...new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])]
  return keys.map((key) => ({ key, before: before?.[key] ?? null, after: after?.[key] ?? null })).filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after))
}
