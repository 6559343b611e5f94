/** What the stewards' room sends: catalogue, lineage, sharing, changes of the standard. */
import type { Title } from '../api/types'

export interface File {
  name: string
  text: string
}

export interface Change {
  kind: string
  id: string
  title: Title
  what: 'added' | 'removed' | 'changed'
  breaking: boolean
  reason: Title
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
  keys: string[]
}

export interface Dependant {
  kind: string
  id: string
  title: Title
  on: string
  breaks: boolean
  why: Title
  count: number | null
  link: string | null
}

export interface FeedTrial {
  feed: string
  title: Title
  tried_accepted: number
  now_refused: number
  tried_quarantined: number
  now_accepted: number
  examples: { source: 'accepted' | 'quarantined'; id: string; before: string[]; after: string[] }[]
  note: Title | null
}

export interface Plan {
  hash: string
  base: number
  applicable: boolean
  changes: Change[]
  dependants: Dependant[]
  trial: FeedTrial[]
}

export interface VersionLine {
  number: number
  by: string
  by_name: Title
  at: string
  reason: string
  restored: number | null
  changes: number
  breaking: number
  current: boolean
}

export interface Version extends VersionLine {
  diff: Change[]
  files: File[]
  overlay: File[]
}

export type DatasetKind = 'table' | 'events' | 'feed' | 'source'

export interface DatasetLine {
  id: string
  kind: DatasetKind
  title: Title
  description: Title | null
  departments: string[]
  sensitivity: string
  tags: string[]
  fresh_at: string | null
  received_at: string | null
  fresh: boolean | null
  rows: number | null
  bytes: number | null
  files: number | null
  partitions: number | null
  quality: number | null
  link: string | null
}

export interface Use {
  kind: string
  id: string
  title: Title
  link: string | null
}

export interface DatasetColumn {
  id: string
  title: Title
  unit: string | null
  kind: string
  code_list: string | null
  sensitivity: string
  masked: boolean
  nulls: number | null
  min: number | string | null
  max: number | string | null
  used_by: Use[]
  required: boolean
}

export interface Dataset extends DatasetLine {
  columns: DatasetColumn[]
  used_by: Use[]
  history: { version: number; at: string }[]
}

export interface Sample {
  columns: string[]
  rows: unknown[][]
  scope: string
}

export interface Node {
  id: string
  kind: string
  title: Title
  link: string | null
  department: string | null
}

export interface Lineage {
  node: string
  nodes: Node[]
  edges: { from: string; to: string }[]
  truncated: boolean
}

export type GrantState = 'asked' | 'approved' | 'refused' | 'withdrawn' | 'revoked' | 'expired'
export type GrantMove = 'approve' | 'refuse' | 'revoke' | 'withdraw'

export interface Grant {
  id: string
  dataset: string
  title: Title
  owner: string
  department: string
  fields: { id: string; title: Title; sensitivity: string }[]
  areas: { code: string; title: Title }[]
  purpose: string
  until: string
  state: GrantState
  asked_by: string
  asked_by_name: Title
  asked_at: string
  decided_by: string | null
  decided_by_name: Title | null
  decided_at: string | null
  reason: string | null
  ended_by: string | null
  ended_at: string | null
  end_reason: string | null
  moves: GrantMove[]
  reads: number
  last_read_at: string | null
  version: number
}

export interface GrantRequest {
  dataset: string
  owner?: string
  fields: string[]
  areas: string[]
  purpose: string
  until: string
}

export interface Usage {
  grant: string
  reads: number
  last_read_at: string | null
  readers: { account: string; name: Title; reads: number; last_read_at: string }[]
}
