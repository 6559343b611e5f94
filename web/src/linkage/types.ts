/** Short names of what the server says of plans, runs and tasks. */
import type { Schemas } from '../api/types'

export type Plan = Schemas['PlanView']
export type PlanDetail = Schemas['PlanDetail']
export type PlanFault = Schemas['PlanFault']
export type PlanLint = Schemas['PlanLint']
export type PlanLane = Schemas['PlanLane']
export type PlanTrigger = Schemas['PlanTrigger']
export type PlanVersion = Schemas['PlanVersionView']
export type PlanVersionDetail = Schemas['PlanVersionDetail']
export type PlanExplained = Schemas['PlanExplained']
export type PlanApplied = Schemas['PlanApplied']
export type PlanTried = Schemas['PlanTried']
export type TriedStep = Schemas['TriedStep']
export type ServiceKind = Schemas['ServiceKind']
export type Run = Schemas['RunView']
export type RunDetail = Schemas['RunDetail']
export type RunLine = Schemas['RunLine']
export type Effect = Schemas['EffectView']
export type Undone = Schemas['UndoneEffect']
export type Task = Schemas['RunTaskView']
export type TaskDetail = Schemas['TaskDetail']
export type FormField = Schemas['FormField']

/** How an element of a diagram is shown. */
export type MarkState = Schemas['RunMark']['state'] | 'fault' | 'hint'
export interface Mark {
  element: string
  state: MarkState
  /** Said to whoever points at it. */
  note?: string
}
