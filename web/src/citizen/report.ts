/** Pure helpers of the citizen's pages. */
import type { Problem } from '../api/problem'

export interface Told {
  matter: string
  description: string
  lon: number | null
  lat: number | null
  area: string
  address: string
  phone: string
}

export const MOST_PHOTOS = 4

/** What is sent: empty fields are left out, and a chosen area stands for the point. */
export function fields(told: Told): Record<string, string> {
  const point = told.area ? { area: told.area } : { lon: told.lon?.toFixed(6) ?? '', lat: told.lat?.toFixed(6) ?? '' }
  const all = { matter: told.matter, description: told.description, ...point, address: told.address, phone: told.phone }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** Whether there is enough to send: something said, and somewhere. */
export function enough(told: Told): boolean {
  const said = told.matter !== '' || told.description.trim().length > 1
  return said && (told.area !== '' || told.lon !== null || told.address.trim() !== '')
}

export interface Candidate {
  matter: string
  title: { zh: string; en: string }
}

/** The matters that the classifier offers with its refusal; `null` when it was refused for another reason. */
export function candidates(problem: Problem): Candidate[] | null {
  const told = problem.more.classification as { candidates?: Candidate[] } | undefined
  return told ? (told.candidates ?? []) : null
}

/** Number and code of the address after `#`, as a receipt's link carries them: the server never sees them. */
export function fromHash(hash: string): { number: string; code: string } {
  const [number = '', code = ''] = decodeURIComponent(hash.replace(/^#/, '')).split('/')
  return { number, code }
}

/** Minutes to wait after a refusal for too many attempts, at least one. */
export function minutesToWait(problem: Problem): number {
  const seconds = Number(problem.more.retry_after)
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds / 60)) : 1
}
