/** One move for several cases: what they have in common, and making it case by case. */
import type { Problem } from '../api/problem'
import type { CaseDetail, MoveOffer, Title } from '../api/types'
import { asProblem } from '../shared/useLoad'

type Selected = Pick<CaseDetail, 'id' | 'number' | 'title' | 'version' | 'moves' | 'state'>

/** A move, who of the selected can make it now, and why the others cannot. */
export interface Common {
  offer: MoveOffer
  able: string[]
  unable: { id: string; reasons: Title[] }[]
}

/** The moves on offer for at least one of the cases, the most common first; parts are asked case by case only. */
export function common(cases: readonly Selected[]): Common[] {
  const found = new Map<string, Common>()
  for (const one of cases) {
    for (const offer of one.moves.filter((m) => m.allowed && !m.fields.some((field) => field.kind === 'parts' && field.required))) {
      const entry = found.get(offer.move) ?? { offer: merged(offer), able: [], unable: [] }
      entry.able.push(one.id)
      found.set(offer.move, entry)
    }
  }
  const made = [...found.values()]
  for (const entry of made) entry.unable = cases.filter((one) => !entry.able.includes(one.id)).map((one) => ({ id: one.id, reasons: one.moves.find((m) => m.move === entry.offer.move)?.reasons ?? [] }))
  return made.sort((a, b) => b.able.length - a.able.length || a.offer.move.localeCompare(b.offer.move))
}

/** The form of a bulk move: what only one case could fill in is left out. */
function merged(offer: MoveOffer): MoveOffer {
  return { ...offer, fields: offer.fields.filter((field) => field.kind !== 'parts') }
}

export interface Outcome {
  id: string
  problem: Problem | null
}

export interface Bulk {
  outcomes: Outcome[]
  stopped: boolean
}

/** One request each, in order; a refusal does not keep the others back, and `stop` is asked before each. */
export async function inTurn(ids: readonly string[], act: (id: string) => Promise<unknown>, stop: () => boolean, told: (outcome: Outcome) => void): Promise<Bulk> {
  const outcomes: Outcome[] = []
  for (const id of ids) {
    if (stop()) return { outcomes, stopped: true }
    const outcome = { id, problem: await attempt(() => act(id)) }
    outcomes.push(outcome)
    told(outcome)
  }
  return { outcomes, stopped: false }
}

async function attempt(act: () => Promise<unknown>): Promise<Problem | null> {
  try {
    await act()
    return null
  } catch (error) {
    return asProblem(error)
  }
}
