/** Filing a report with what belongs to it: photos ahead, the wish for a call-back as a note, joining a like case. */
import { api, ask } from '../api/client'
import type { Problem } from '../api/problem'
import type { Case, CaseDetail, CaseReport } from '../api/types'
import { asProblem } from '../shared/useLoad'

export interface Wishes {
  /** What is to be told to the reporter, and when; empty for no call-back. */
  callback: string
  join: Pick<Case, 'id' | 'number'> | null
  /** Why the report belongs to the other case, as the move's opinion. */
  why: string
}

export interface Filed {
  made: CaseDetail
  joined: boolean
  /** What could not be done after the report itself was in. */
  problem: Problem | null
}

/** The report is kept whatever becomes of the wishes; the first refusal among them is told. */
export async function file(report: CaseReport, wishes: Wishes): Promise<Filed> {
  let made = await ask(api.POST('/api/v1/cases', { body: report }))
  try {
    if (wishes.callback) made = await move(made, 'note', wishes.callback, {})
    if (wishes.join && wishes.join.id !== made.id) {
      made = await move(made, 'merge', wishes.why, { target: wishes.join.number })
      return { made, joined: true, problem: null }
    }
    return { made, joined: false, problem: null }
  } catch (error) {
    return { made, joined: false, problem: asProblem(error) }
  }
}

function move(one: CaseDetail, name: string, opinion: string, fields: Record<string, string>): Promise<CaseDetail> {
  return ask(api.POST('/api/v1/cases/{case}/moves', { params: { path: { case: one.id } }, body: { move: name, version: one.version, opinion, fields } }))
}
