/** Plans, runs and tasks, asked of the server. */
import { call, type Path } from '../api/call'
import type { Effect, Plan, PlanApplied, PlanDetail, PlanExplained, PlanLint, PlanTried, PlanVersion, PlanVersionDetail, RunDetail, ServiceKind, TaskDetail, Undone } from './types'

const at = (id: string): string => encodeURIComponent(id)

export const plans = {
  list: () => call<Plan[]>('GET', '/plans'),
  services: () => call<ServiceKind[]>('GET', '/plan-services'),
  get: (id: string) => call<PlanDetail>('GET', `/plans/${at(id)}`),
  versions: (id: string) => call<PlanVersion[]>('GET', `/plans/${at(id)}/versions`),
  version: (id: string, version: number) => call<PlanVersionDetail>('GET', `/plans/${at(id)}/versions/${version}`),
  lint: (xml: string) => call<PlanLint>('POST', '/plans/lint', { body: { xml } }),
  layout: (xml: string) => call<{ xml: string }>('POST', '/plans/layout', { body: { xml } }),
  explain: (id: string, xml: string) => call<PlanExplained>('POST', `/plans/${at(id)}/explain`, { body: { xml } }),
  apply: (id: string, body: { xml: string; base: number; reason: string; migrate: boolean }) => call<PlanApplied>('POST', `/plans/${at(id)}/apply`, { body }),
  tryOut: (id: string, body: { xml?: string; facts: object; answers: object }) => call<PlanTried>('POST', `/plans/${at(id)}/dry-run`, { body }),
}

/** What a run can be told with a reason. */
export type Steering = 'pause' | 'resume' | 'take-over' | 'end'

export const runs = {
  get: (id: string) => call<RunDetail>('GET', `/runs/${at(id)}`),
  start: (body: { plan: string; facts: object; area: string | null; reason: string }) => call<RunDetail>('POST', '/runs', { body }),
  steer: (id: string, act: Steering, reason: string) => call<RunDetail>('POST', `/runs/${at(id)}/${act}` as Path, { body: { reason } }),
  step: (id: string, element: string, act: 'retry' | 'skip', reason: string) => call<RunDetail>('POST', `/runs/${at(id)}/steps/${at(element)}/${act}` as Path, { body: { reason } }),
  undo: (id: string, reason: string) => call<Undone[]>('POST', `/runs/${at(id)}/undo`, { body: { reason } }),
  undoEffect: (effect: Effect, reason: string) => call<Undone>('POST', `/runs/${at(effect.run)}/effects/${at(effect.id)}/undo`, { body: { reason } }),
}

export const tasks = {
  get: (id: string) => call<TaskDetail>('GET', `/run-tasks/${at(id)}`),
  take: (id: string) => call<TaskDetail>('POST', `/run-tasks/${at(id)}/take`),
  complete: (id: string, values: object) => call<TaskDetail>('POST', `/run-tasks/${at(id)}/complete`, { body: { values } }),
  approve: (id: string, answer: 'approve' | 'reject', note: string) => call<TaskDetail>('POST', `/run-tasks/${at(id)}/approve`, { body: { answer, note } }),
  delegate: (id: string, to: string, reason: string) => call<TaskDetail>('POST', `/run-tasks/${at(id)}/delegate`, { body: { to, reason } }),
}
