/** What the room of data quality sends. */
import type { Title } from '../api/types'

export const DIMENSIONS = ['completeness', 'validity', 'timeliness', 'consistency', 'uniqueness'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export interface DimensionScore {
  id: string
  score: number | null
  numerator: number
  denominator: number
  weight: number
  least: number
  enough: boolean
  below: boolean
}

export interface ScoreRow {
  id: string
  title: Title
  department: string | null
  score: number | null
  grade: string | null
  feeds: string[]
  breaches: number
  fresh: boolean | null
  dimensions: DimensionScore[]
}

export interface Scores {
  items: ScoreRow[]
  total: number
  page: number
  size: number
  from: string
  to: string
}

export interface Scheme {
  dimensions: { id: string; title: Title; weight: number; least: number; meaning: Title }[]
  bands: { grade: string; from: number }[]
  minimum_sample: number
}

export interface HourCell extends Record<Dimension, number | null> {
  at: string
  expected: number
  received: number
  accepted: number
  quarantined: number
  duplicate: number
  late: number
  inconsistent: number
}

export interface FeedHours {
  feed: string
  title: Title
  department: string
  entity_type: string
  grain_seconds: number
  expected_every_seconds: number | null
  fresh_seconds: number
  hours: string | null
  fresh: boolean | null
  newest: string | null
  age_seconds: number | null
  cells: HourCell[]
}

export interface Evidence {
  kind: 'gap' | 'record' | 'quarantine' | 'count'
  entity: string | null
  entity_title: Title | null
  at: string
  until: string | null
  column: string | null
  rule: string | null
  value: string | null
  reason: Title
  record: string | null
  quarantine: string | null
  count: number
}

export interface Breach {
  id: string
  feed: string
  title: Title
  department: string
  check: string
  value: number
  least: number
  opened_at: string
  closed_at: string | null
  detail: Title
}

export type InspectionMove = 'start' | 'stop' | 'resume' | 'recheck' | 'close'

export interface InspectionLine {
  id: string
  plan: string
  title: Title
  state: string
  state_title: Title
  halted: boolean
  planned_for: string
  started_at: string | null
  closed_at: string | null
  from: string | null
  to: string | null
  feeds: string[]
  checks: string[]
  owner: string
  limit: string
  schedule: string
  done: number
  total: number
  findings: number
  open: number
  passed: number
  failed: number
  score: number | null
  grade: string | null
  made_by: string
  moves: InspectionMove[]
}

export interface InspectionDepartment {
  id: string
  title: Title
  score: number | null
  grade: string | null
  previous_score: number | null
  change: number | null
  findings: number
  open: number
  passed: number
  failed: number
  overdue: number
  dimensions: DimensionScore[]
}

export interface InspectionTask {
  feed: string
  title: Title
  department: string
  check: string
  check_title: Title
  state: 'waiting' | 'done'
  numerator: number
  denominator: number
  share: number | null
  least: number | null
  verdict: 'good' | 'finding' | 'too_few' | 'not_declared' | null
}

export interface Inspection extends InspectionLine {
  sample: { size: number; seed: number }
  recheck_after: string
  previous: string | null
  departments: InspectionDepartment[]
  tasks: InspectionTask[]
  log: { at: string; by: string; what: Title }[]
}

export interface Finding {
  id: string
  inspection: string
  feed: string
  feed_title: Title
  department: string
  department_title: Title
  check: string
  check_title: Title
  state: 'open' | 'repaired' | 'passed' | 'failed'
  numerator: number
  denominator: number
  share: number
  least: number
  reason: Title
  examples: Evidence[]
  case: string | null
  case_number: string | null
  case_state: string | null
  due_at: string | null
  light: 'green' | 'yellow' | 'red' | 'paused' | 'none' | null
  overdue: boolean
  attempts: number
  rechecks: { at: string; share: number | null; verdict: string; reason: Title; act: string | null }[]
}

export interface InspectionPlan {
  title: string
  feeds: string[]
  checks: string[]
  period: string
  sample: { size: number; seed: number }
  schedule: string
  limit: string
  recheck_after: string
  owner: string
  planned_for: string | null
}
