/** Silences and maintenance windows as they are wished. */
import type { Schemas } from '../api/types'
import { fromWall, isoDate, midnight } from '../city/time'

export type Mute = Schemas['MuteView']
export type MuteWish = Schemas['NewMute']
export type MuteScope = Pick<MuteWish, 'rule' | 'entity' | 'area'>

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Ends that are wished most: in an hour, in four, tomorrow at eight, in a week. */
export function readyEnds(now: number, zone: string): { word: string; at: number }[] {
  const tomorrow = isoDate(midnight(now, zone) + DAY + 12 * HOUR, zone)
  return [
    { word: 'hour', at: now + HOUR },
    { word: 'fourHours', at: now + 4 * HOUR },
    { word: 'tomorrow', at: fromWall(`${tomorrow}T08:00:00`, zone) },
    { word: 'week', at: now + 7 * DAY },
  ]
}

/** What a mute of a warning may reach, from the narrowest. */
export function scopesOf(warning: { rule: string; entity: string; area: string | null; district: string | null }): { id: string; scope: MuteScope }[] {
  return [
    { id: 'both', scope: { rule: warning.rule, entity: warning.entity } },
    { id: 'entity', scope: { entity: warning.entity } },
    ...(warning.district ? [{ id: 'district', scope: { rule: warning.rule, area: warning.district } }] : []),
    { id: 'rule', scope: { rule: warning.rule } },
  ]
}

/** Where a mute stands now. */
export function muteState(mute: Pick<Mute, 'active' | 'ended_at' | 'start'>, now: number): 'active' | 'planned' | 'ended' | 'over' {
  if (mute.ended_at) return 'ended'
  if (mute.active) return 'active'
  return Date.parse(mute.start) > now ? 'planned' : 'over'
}
