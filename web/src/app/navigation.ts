/** The rooms that have a screen, in the order of the bar. */
import { computed } from 'vue'

import { useSession } from '../access/session'
import { offeredGroups, RAILS, screensOf } from './rails'

export interface Place {
  name: string
  to: string
  word: string
  belongs: readonly string[]
}

const PLACES: readonly Place[] = [
  { name: 'map', to: '/', word: 'nav.map', belongs: ['map'] },
  { name: 'desk', to: '/desk', word: 'nav.desk', belongs: ['desk', 'desk-parts'] },
  { name: 'warnings', to: '/warnings', word: 'nav.warnings', belongs: ['warnings', 'warning', 'rules', 'rule-health', 'rule-new', 'rule', 'mutes', 'forecasts', 'forecast', 'forecast-entity'] },
  { name: 'cases', to: '/cases', word: 'nav.cases', belongs: ['cases', 'case', 'report', 'sent'] },
  { name: 'board', to: '/board', word: 'nav.board', belongs: ['board', 'explore', 'ask', 'sql'] },
]
const SCORES: Place = { name: 'scoreboard', to: '/scores', word: 'nav.scores', belongs: ['scoreboard', 'figure', 'what-if'] }

const FIELD: Place = { name: 'field', to: '/field', word: 'nav.field', belongs: ['field', 'field-report'] }

/** Who goes out: to handle, to inspect. */
const OUTSIDE = ['case.submit_result', 'case.inspect_done']

/** A room with a rail leads to the first of its screens that the actor is offered. */
function railed(name: string, session: ReturnType<typeof useSession>): Place[] {
  const rail = RAILS.find((one) => one.name === name)
  const first = offeredGroups(name, session)[0]?.entries[0]
  return rail && first ? [{ name, to: first.to, word: rail.word, belongs: screensOf(rail) }] : []
}

/** What this actor is offered: scores and the rooms with a rail only where something of them is. */
export function usePlaces() {
  const session = useSession()
  return computed<Place[]>(() => {
    const outside = OUTSIDE.some((one) => session.may(one)) ? [FIELD] : []
    const scores = session.may('evaluate.read') ? [SCORES] : []
    return [...outside, ...PLACES, ...railed('linkage', session), ...scores, ...railed('data', session)]
  })
}
