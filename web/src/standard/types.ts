/** Short names for what the room of the standard sends. */
import type { Schemas } from '../api/types'

export type StandardSummary = Schemas['StandardView']
export type TypeLine = Schemas['TypeRow']
export type TypeDetail = Schemas['TypeDetail']
export type PropertyView = TypeDetail['properties'][number]
export type CodeListLine = Schemas['ListRow']
export type CodeListDetail = Schemas['ListDetail']
export type Code = CodeListDetail['codes'][number]
export type UnitLine = Schemas['UnitRow']
export type Suggestion = Schemas['Suggestion']
export type SuggestedColumn = Suggestion['columns'][number]
export type SuggestedField = Suggestion['fields'][number]
export type Trial = Schemas['Trial']
export type Declaration = Record<string, unknown>
