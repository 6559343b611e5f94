/** What the stewards' room sends: catalogue, lineage, sharing, changes of the standard. */
import type { Schemas, Title } from '../api/types'

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

export type DatasetLine = Schemas['DatasetLine']
export type Dataset = Schemas['DatasetDetail']
export type DatasetColumn = Dataset['columns'][number]
export type Use = Dataset['used_by'][number]
export type Sample = Schemas['SampleView']
export type Node = Schemas['Node']
export type Lineage = Schemas['Slice']
export type Edge = Lineage['edges'][number]
export type Grant = Schemas['GrantView']
export type GrantState = Grant['state']
export type GrantMove = Schemas['cityloop__steward__schemas__MoveRequest']['move']
export type GrantRequest = Schemas['GrantRequest']
export type Usage = Schemas['UsageView']
