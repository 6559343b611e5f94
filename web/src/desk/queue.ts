/** The desk's queue: what is asked of the server, and which offered move a key means. */
import type { Case, MoveOffer } from '../api/types'

/** The first is the desk's own: deadline and risk together. */
export const ORDERS = ['urgency', 'due_at', '-risk', 'opened_at'] as const

/** Moves by which somebody decides the appeal of a closed case. */
export const APPEALS = ['case.appeal_pass', 'case.appeal_reject', 'case.appeal_grant', 'case.appeal_refuse'] as const

/** Moves by which a department or a co-handler takes over what was sent to it. */
const SIGNS = ['assign', 'part_sign']

/** The first offered move that dispatches. */
export function dispatching(offers: readonly MoveOffer[]): MoveOffer | undefined {
  return offers.find((offer) => offer.allowed && (offer.move === 'dispatch' || offer.key === 'd'))
}

/** The first offered move that signs for the case; where there is none, the one that submits. */
export function signing(offers: readonly MoveOffer[]): MoveOffer | undefined {
  return offers.find((offer) => offer.allowed && SIGNS.includes(offer.move)) ?? offers.find((offer) => offer.allowed && offer.key === 's')
}

/** The index that stays selected when rows have gone: the same case, else the one that took its place. */
export function kept(before: readonly Case[], selected: number, after: readonly Case[]): number {
  const id = before[selected]?.id
  const found = after.findIndex((one) => one.id === id)
  return found >= 0 ? found : Math.min(selected, after.length - 1)
}
