/** What the room of the standard sends. */
import type { Title } from '../api/types'
import type { TrialShape } from '../shared/trial'

export interface StandardSummary {
  version: string
  entity_types: number
  properties: number
  code_lists: number
  codes: number
  feeds: number
  units: number
}

export interface TypeLine {
  id: string
  title: Title
  version: string | number
  model: string | null
  properties: number
  feeds: string[]
  relations: number
}

export interface PropertyView {
  id: string
  title: Title
  description: Title | null
  kind: string
  unit: string | null
  symbol: string | null
  dimension: string | null
  min: number | null
  max: number | null
  enum: string[] | null
  pattern: string | null
  code_list: string | null
  required: boolean
  sensitivity: string
  synonyms: string[]
}

export interface TypeDetail {
  id: string
  title: Title
  description: Title | null
  version: string | number
  model: string | null
  synonyms: string[]
  keys: string[]
  properties: PropertyView[]
  relations: { id: string; title: Title; target: string; property: string | null; cardinality: string }[]
  checks: { rule: string; severity: string; property?: string | null; properties?: string[] | null; text: Title }[]
  feeds: { id: string; title: Title; department: string }[]
}

export interface CodeListLine {
  id: string
  title: Title
  source: string | null
  codes: number
  used_by: string[]
}

export interface Code {
  code: string
  title: Title
  valid_from: string | null
  valid_to: string | null
  parent: string | null
  synonyms: string[]
  valid: boolean
}

export interface CodeListDetail extends Omit<CodeListLine, 'codes'> {
  codes: Code[]
}

export interface UnitLine {
  code: string
  symbol: string
  dimension: string
}

export type Declaration = Record<string, unknown>

export interface SuggestedColumn {
  name: string
  title?: string | null
  examples: string[]
  kind: string
  filled: number
  unit: string | null
}

export interface SuggestedField {
  target: string
  title: Title
  column: string | null
  confidence: number
  reasons: string[]
  declaration: Declaration | null
}

export interface Suggestion {
  entity_type: string
  columns: SuggestedColumn[]
  fields: SuggestedField[]
  unused: string[]
  datum: { datum: string | null; confidence: number; reason: string }
  declaration: Declaration
  yaml: string
  notes: string[]
}

export interface Trial extends TrialShape {
  feed: string
  flagged: number
}
