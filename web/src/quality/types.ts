/** Short names for what the room of data quality sends. */
import type { Schemas } from '../api/types'

export const DIMENSIONS = ['completeness', 'validity', 'timeliness', 'consistency', 'uniqueness'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type Scores = Schemas['ScorePage']
export type ScoreRow = Scores['items'][number]
export type DimensionScore = ScoreRow['dimensions'][number]
export type Scheme = Schemas['SchemeView']
export type FeedHours = Schemas['HoursView']
export type HourCell = FeedHours['cells'][number]
export type Evidence = Finding['examples'][number]
export type Breach = Schemas['BreachView']
export type InspectionLine = Schemas['InspectionLine']
export type InspectionMove = InspectionLine['moves'][number]
export type Inspection = Schemas['InspectionDetail']
export type InspectionDepartment = Inspection['departments'][number]
export type InspectionTask = Inspection['tasks'][number]
export type Finding = Schemas['Finding']
export type InspectionPlan = Omit<Schemas['InspectionDraft'], 'attempts'>
