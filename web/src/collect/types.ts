/** Short names for what the rooms of intake send. */
import type { Schemas } from '../api/types'

export type Source = Schemas['SourceView']
export type Wire = Source['wire']
export type SourceState = Source['state']
export type Schedule = Source['schedule']
export type DryRun = Schemas['DryRunView']
export type Held = Schemas['QuarantineView']
export type HeldState = Held['state']
export type HeldDetail = Schemas['QuarantineDetail']
export type HeldSummary = Schemas['QuarantineSummary']
export type Reason = Held['reasons'][number]
export type Replay = Schemas['ReplayView']
