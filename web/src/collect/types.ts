/** What the rooms of intake send. */
import type { Title } from '../api/types'

export type Wire = 'push' | 'mqtt' | 'nats' | 'database' | 'pull' | 'files'
export type SourceState = 'running' | 'waiting' | 'failing' | 'paused' | 'stopped'

export interface Schedule {
  kind: 'stream' | 'every' | 'daily'
  seconds?: number | null
  at?: string | null
}

export interface Source {
  id: string
  title: Title
  feed: string
  feed_title: Title
  entity_type: string
  department: string
  wire: Wire
  address: string
  schedule: Schedule
  state: SourceState
  paused_by: string | null
  paused_at: string | null
  pause_reason: string
  last_run_at: string | null
  next_run_at: string | null
  last_record_at: string | null
  lag_seconds: number | null
  waiting: number | null
  rate_per_minute: number
  accepted: number
  quarantined: number
  duplicate: number
  last_error: string | null
  last_error_at: string | null
  failures: number
  retry_at: string | null
}

export interface DryRun {
  source: string
  feed: string
  taken_at: string
  columns: string[]
  raw: Record<string, unknown>[]
  mapped: ({ index: number } & Record<string, unknown>)[]
  refusals: { index: number; column: string | null; rule: string; reason: string }[]
  notes: string[]
}

export type HeldState = 'open' | 'corrected' | 'settled' | 'discarded'

export interface Reason {
  index: number
  column: string | null
  rule: string
  reason: string
}

export interface Held {
  id: string
  feed: string
  department: string
  batch: string
  index: number
  received_at: string
  raw: string
  rules: string[]
  reasons: Reason[]
  state: HeldState
  record: string | null
  replay: string | null
  correction: { fields: Record<string, unknown>; by: string; at: string; why: string } | null
}

export interface HeldAct {
  act: 'corrected' | 'discarded' | 'failed' | 'settled'
  at: string
  by: string
  why: string
  fields: Record<string, unknown> | null
  replay: string | null
  record: string | null
  reasons: Reason[]
}

export interface HeldDetail extends Held {
  fields: string[]
  sent: Record<string, unknown> | null
  present: Record<string, unknown> | null
  history: HeldAct[]
}

export interface HeldSummary {
  total: number
  by_state: Record<HeldState, number>
  feeds: { feed: string; title: Title; department: string; total: number; open: number; rules: { rule: string; total: number; open: number }[] }[]
}

export interface Replay {
  id: string
  state: 'running' | 'done' | 'stopped' | 'failed'
  by: string
  started_at: string
  ended_at: string | null
  selection: Record<string, unknown>
  total: number
  done: number
  settled: number
  failed: number
  duplicate: number
  error: string | null
}
