/** Where the phone is, how far a case is, and the one move that carries it on. */
import { onUnmounted, ref, type Ref, shallowRef, type ShallowRef } from 'vue'

import type { CaseDetail, MoveOffer } from '../api/types'

export interface Point {
  lon: number
  lat: number
}
const METRES_A_DEGREE = 111_195

/** Metres between two points of a city; flat, as far as one walks. */
export function metres(a: Point, b: Point): number {
  const x = (a.lon - b.lon) * Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180)
  return Math.round(Math.hypot(x, a.lat - b.lat) * METRES_A_DEGREE)
}

/** A distance as people say it. */
export function distance(far: number, t: (key: string, named: Record<string, unknown>) => string): string {
  return far < 1000 ? t('field.metres', { n: Math.round(far) }) : t('field.kilometres', { n: (far / 1000).toFixed(1) })
}

/** The nearest first; without a position, the first due first. */
export function ordered(cases: readonly CaseDetail[], here: Point | null): CaseDetail[] {
  const due = (one: CaseDetail): number => (one.due_at ? Date.parse(one.due_at) : Number.POSITIVE_INFINITY)
  return [...cases].sort((a, b) => (here ? metres(here, a) - metres(here, b) : due(a) - due(b)))
}

/** Moves that a phone makes with one tap: those that carry on and ask for nothing but words, and photos beside.
 *
 * Finishing may still want the photo that is only taken now.
 */
export function taps(one: CaseDetail, may: (permission: string) => boolean): MoveOffer[] {
  const simple = (offer: MoveOffer): boolean => offer.fields.every((field) => !field.required || field.kind === 'text' || field.kind === 'choice')
  const ready = (offer: MoveOffer): boolean => offer.allowed || (offer.move === 'submit_result' && may('case.submit_result'))
  const found = one.moves.filter((offer) => offer.to !== one.state && ready(offer) && simple(offer))
  // What goes on before what goes back: a way back wants a reason.
  return found.sort((a, b) => Number(a.reason_needed) - Number(b.reason_needed))
}

export function usePosition(): { here: ShallowRef<Point | null>; failed: Ref<boolean>; locate: () => void } {
  const here = shallowRef<Point | null>(null)
  const failed = ref(false)
  let watching: number | undefined
  function locate(): void {
    failed.value = !('geolocation' in navigator)
    if (failed.value || watching !== undefined) return
    watching = navigator.geolocation.watchPosition(
      ({ coords }) => {
        here.value = { lon: coords.longitude, lat: coords.latitude }
        failed.value = false
      },
      () => (failed.value = true),
      { enableHighAccuracy: true, maximumAge: 15_000, timeout: 20_000 },
    )
  }
  onUnmounted(() => watching !== undefined && navigator.geolocation.clearWatch(watching))
  return { here, failed, locate }
}
