/** The rooms that have a screen, in the order of the bar. */
import { computed } from 'vue'

import { useSession } from '../access/session'
import { DATA_GROUPS, offeredGroups } from './data'

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
  { name: 'board', to: '/board', word: 'nav.board', belongs: ['board'] },
]
const DATA = DATA_GROUPS.flatMap((group) => group.entries.flatMap((entry) => [...entry.belongs]))

const SCORES: Place = { name: 'scoreboard', to: '/scores', word: 'nav.scores', belongs: ['scoreboard', 'figure', 'what-if'] }

const COMMANDS: Place = { name: 'commands', to: '/commands', word: 'nav.commands', belongs: ['commands', 'command', 'command-contacts'] }
const RESPONSES: Place = { name: 'responses', to: '/responses', word: 'emergency.title', belongs: ['responses', 'response'] }
const APPROVALS: Place = { name: 'approvals', to: '/approvals', word: 'approve.title', belongs: ['approvals', 'approval', 'approval-rates'] }

const FIELD: Place = { name: 'field', to: '/field', word: 'nav.field', belongs: ['field', 'field-report'] }

/** Who goes out: to handle, to inspect. */
const OUTSIDE = ['case.submit_result', 'case.inspect_done']

/** What this actor is offered; scores and the data platform only where something of them is. */
export function usePlaces() {
  const session = useSession()
  return computed<Place[]>(() => {
    const first = offeredGroups(session)[0]?.entries[0]
    const outside = OUTSIDE.some((one) => session.may(one)) ? [FIELD] : []
    const approvals = session.sees('application') ? [APPROVALS] : []
    const places = [...outside, ...PLACES, ...(session.sees('command') ? [COMMANDS] : []), ...approvals, ...(session.sees('response') ? [RESPONSES] : []), ...(session.may('evaluate.read') ? [SCORES] : [])]
    return first ? [...places, { name: 'data', to: first.to, word: 'nav.data', belongs: ['data', ...DATA] }] : places
  })
}
