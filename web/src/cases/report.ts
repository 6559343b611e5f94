/** Pure helpers of the report form. */
import type { Matter } from '../api/types'

export interface ReportForm {
  matter: string
  title: string
  lon: number | null | ''
  lat: number | null | ''
  channel: string
  photos: number
}

/** Matters whose title or code holds the text, at most `most`. */
export function matchMatters(matters: readonly Matter[], text: string, most: number): Matter[] {
  const wanted = text.trim().toLowerCase()
  const fits = (m: Matter): boolean =>
    !wanted || [m.code, m.title.zh, m.title.en, m.class_title.zh, m.class_title.en].some((word) => word.toLowerCase().includes(wanted))
  return matters.filter(fits).slice(0, most)
}

/** What is still missing, by the name of its label. */
export function missingParts(form: ReportForm): ('matter' | 'name' | 'point' | 'photos')[] {
  const missing: ('matter' | 'name' | 'point' | 'photos')[] = []
  if (!form.matter) missing.push('matter')
  if (form.title.trim().length < 2) missing.push('name')
  if (typeof form.lon !== 'number' || typeof form.lat !== 'number') missing.push('point')
  if (form.channel === 'collector' && form.photos === 0) missing.push('photos')
  return missing
}
