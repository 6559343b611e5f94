/** The things that stand around a point: asked of the server, kept on the phone, measured here as one walks. */
import { computed, type ComputedRef, type Ref, ref } from 'vue'

import { useSession } from '../access/session'
import { call } from '../api/call'
import { Problem } from '../api/problem'
import type { Schemas } from '../api/types'
import { useDelayed } from '../cases/useDelayed'
import { metres, type Point } from './near'
import { putThings, thingsOf } from './store'

export type Thing = Schemas['NearEntity']
/** Metres around the point, and the most things that are asked for. */
const REACH = 200
const MOST = 60
/** So many are kept for where there is no network. */
const KEPT = 600
/** A step of the question, in degrees: eleven metres on, it is asked anew. */
const STEP = 1e4

/** The code that ends a matter's key; the anomaly of a component has the code of its class. */
export function codeOf(matter: string): string {
  return matter.split(':')[2] ?? ''
}

/** Things within reach of a point: those of the matter's class first, then the nearest. */
export function around(things: readonly Thing[], at: Point, matter: string): Thing[] {
  const code = codeOf(matter)
  const other = (thing: Thing): number => Number(!code || thing.code !== code)
  return things
    .flatMap((thing) => (thing.lon === null || thing.lat === null ? [] : [{ ...thing, metres: metres(at, { lon: thing.lon, lat: thing.lat }) }]))
    .filter((thing) => thing.metres <= REACH)
    .sort((a, b) => other(a) - other(b) || a.metres - b.metres || a.id.localeCompare(b.id))
}

/** What was seen before and what was seen now, each thing once, the newest last. */
export function kept(before: readonly Thing[], now: readonly Thing[]): Thing[] {
  const all = new Map(before.map((thing) => [thing.id, thing]))
  for (const thing of now) {
    all.delete(thing.id)
    all.set(thing.id, thing)
  }
  return [...all.values()].slice(-KEPT)
}

export interface Around {
  things: ComputedRef<Thing[]>
  /** When they were read, where the network did not answer; null for fresh ones. */
  since: Ref<number | null>
  asking: Ref<boolean>
}

export function useThings(at: () => Point | null, matter: () => string): Around {
  const session = useSession()
  const since = ref<number | null>(null)

  async function asked({ lon, lat }: Point): Promise<Thing[]> {
    const account = session.actor?.id ?? ''
    const before = await thingsOf(account).catch(() => undefined)
    try {
      const found = await call<Thing[]>('GET', '/entities/near', { query: { lon, lat, metres: REACH + 20, size: MOST } })
      since.value = null
      await putThings({ account, at: Date.now(), things: kept(before?.things ?? [], found) }).catch(() => undefined)
      return found
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 0) throw error
      since.value = before?.at ?? 0
      return before?.things ?? []
    }
  }

  const { data, asking } = useDelayed(() => {
    const point = at()
    return point && { lon: Math.round(point.lon * STEP) / STEP, lat: Math.round(point.lat * STEP) / STEP }
  }, asked)
  const things = computed(() => {
    const point = at()
    return point ? around(data.value ?? [], point, matter()) : []
  })
  return { things, since, asking }
}
