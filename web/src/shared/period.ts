/** Times as people type them, in city time. */
import { fromWall, wall } from '../city/time'

const TYPED = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?$/

/** `2026-03-09` or `2026-3-9 08:00` as an instant; empty stays empty; what is no time is null. */
export function typedTime(text: string, zone: string): string | null {
  if (!text) return ''
  const parts = TYPED.exec(text)
  if (!parts) return null
  const [, year, month, day, hour = '0', minute = '0'] = parts as unknown as string[]
  const two = (n: string | undefined): string => String(n).padStart(2, '0')
  const local = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:00`
  const naive = new Date(`${local}Z`)
  if (Number.isNaN(naive.getTime()) || naive.toISOString().slice(0, 19) !== local) return null
  return new Date(fromWall(local, zone)).toISOString()
}

/** An instant as somebody would type it; nothing for nothing. */
export function typeable(instant: string, zone: string): string {
  if (!instant || Number.isNaN(Date.parse(instant))) return ''
  const at = wall(instant, zone)
  return `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute}`
}
