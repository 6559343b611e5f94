/** A rule of the list: how it is declared, and how it has served. */
import type { Rule, Schemas } from '../api/types'

export type Health = Schemas['RuleHealth']
export interface RuleLine extends Rule {
  health: Health | undefined
  /** For sorting. */
  fired: number
  last: string
}

/** Rules with how they served; those that are only conditions of others have no health of their own. */
export function joined(rules: readonly Rule[], health: readonly Health[]): RuleLine[] {
  const found = new Map(health.map((one) => [one.rule, one]))
  return rules.map((rule) => {
    const own = found.get(rule.id)
    return { ...rule, health: own, fired: own?.fired ?? 0, last: own?.last_fired ?? '' }
  })
}

export type Standing = 'failing' | 'blind' | 'part' | 'silent' | 'doubtful' | 'well'

/** How many labelled warnings it takes before a false share says anything, and which share is too much. */
const ENOUGH = 3
const TOO_MANY = 0.3

/** The one word for how a rule serves. */
export function standing(rule: Pick<RuleLine, 'last_error' | 'no_data' | 'respond' | 'health'>): Standing {
  if (rule.last_error) return 'failing'
  if (rule.no_data) return 'blind'
  if (rule.respond === 'part') return 'part'
  const own = rule.health
  if (!own || own.silent) return 'silent'
  return own.true + own.false >= ENOUGH && (own.false_share ?? 0) > TOO_MANY ? 'doubtful' : 'well'
}

export const TONE = { failing: 'bad', blind: 'wait', part: 'wait', silent: 'off', doubtful: 'bad', well: 'good' } as const
