/** The course of an inspection. */
import type { Tone } from '../shared/StateMark.vue'
import type { Finding, InspectionLine, InspectionTask } from './types'

export const INSPECTION_STATES = ['planned', 'sampling', 'findings', 'cases', 'repair', 'recheck', 'report', 'closed'] as const
export const CHECKS = ['completeness', 'validity', 'timeliness', 'consistency', 'uniqueness', 'freshness', 'values', 'sample'] as const
export const FINDING_TONES: Record<Finding['state'], Tone> = { open: 'bad', repaired: 'busy', passed: 'good', failed: 'bad' }

export function toneOf(line: Pick<InspectionLine, 'state' | 'halted'>): Tone {
  if (line.halted) return 'off'
  return line.state === 'closed' ? 'good' : line.state === 'planned' ? 'wait' : 'busy'
}

/** A limit in working days in the visitor's language; any other as it was written. */
export function limitText(limit: string, t: (key: string, named: { n: string }) => string): string {
  const days = /^(\d+)\s*工作日$/.exec(limit)?.[1]
  return days ? t('inspection.workdays', { n: days }) : limit
}

/** Where a state stands in the course: behind, here, or ahead. */
export function courseOf(state: string): { id: string; place: 'past' | 'here' | 'ahead' }[] {
  const at = INSPECTION_STATES.indexOf(state as (typeof INSPECTION_STATES)[number])
  return INSPECTION_STATES.map((id, i) => ({ id, place: i < at ? 'past' : i === at ? 'here' : 'ahead' }))
}

/** Tasks as a table of feeds by checks. */
export function matrix(tasks: readonly InspectionTask[]): { feeds: { feed: string; task: InspectionTask }[]; checks: string[]; at: (feed: string, check: string) => InspectionTask | undefined } {
  const feeds = new Map<string, InspectionTask>()
  for (const task of tasks) if (!feeds.has(task.feed)) feeds.set(task.feed, task)
  const checks = [...new Set(tasks.map((task) => task.check))]
  const index = new Map(tasks.map((task) => [`${task.feed}|${task.check}`, task]))
  return { feeds: [...feeds].map(([feed, task]) => ({ feed, task })), checks, at: (feed, check) => index.get(`${feed}|${check}`) }
}
