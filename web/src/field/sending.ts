/** Sending what has waited, oldest first: the network's silence stops the round, a refusal only its own job. */
import { Problem } from '../api/problem'
import type { CaseDetail, Schemas } from '../api/types'
import { asProblem } from '../shared/useLoad'
import type { Job, MoveJob, Picture, ReportJob } from './store'

export interface Server {
  /** Send a file ahead, or onto a case; its hash. */
  upload: (picture: Picture, on: string | null) => Promise<string>
  report: (report: Schemas['CaseReport']) => Promise<unknown>
  read: (id: string) => Promise<Pick<CaseDetail, 'version' | 'state' | 'moves'>>
  move: (id: string, body: { move: string; version: number; opinion: string; fields: Record<string, string> }) => Promise<unknown>
  /** Remember how far a job has come. */
  keep: (job: Job) => Promise<unknown>
}

export type Fate = 'sent' | 'refused' | 'waits'

/** Later is better than never: no network, a server that is away or busy, an ended session. */
export function waits(problem: Problem): boolean {
  return [0, 401, 408, 429].includes(problem.status) || problem.status >= 500
}

export async function sendJob(job: Job, server: Server): Promise<{ fate: Fate; why: string }> {
  try {
    await pictures(job, server)
    await (job.kind === 'report' ? report(job, server) : move(job, server))
    return { fate: 'sent', why: '' }
  } catch (error) {
    const problem = asProblem(error)
    return waits(problem) ? { fate: 'waits', why: problem.detail } : { fate: 'refused', why: problem.detail }
  }
}

async function pictures(job: Job, server: Server): Promise<void> {
  for (const picture of job.pictures.filter((one) => !one.hash)) {
    picture.hash = await server.upload(picture, job.kind === 'move' ? job.case : null)
    await server.keep(job)
  }
}

/** The job's id is the outside number: a report that came through unheard is found again, not doubled. */
async function report(job: ReportJob, server: Server): Promise<void> {
  const attachments = job.pictures.flatMap((one) => (one.hash ? [{ hash: one.hash, kind: one.kind }] : []))
  await server.report({ ...job.report, external_number: `field-${job.id}`, attachments } as Schemas['CaseReport'])
}

/** Made on the newest version, but only in the state in which it was decided. */
async function move(job: MoveJob, server: Server): Promise<void> {
  const now = await server.read(job.case)
  const offer = now.moves.find((one) => one.move === job.move)
  if (now.state !== job.from || !offer) throw new Problem(409, 'moved on', now.state)
  await server.move(job.case, { move: job.move, version: now.version, opinion: job.opinion, fields: job.fields })
}

/** One round; what is left waiting stays in order. */
export async function sendAll(jobs: readonly Job[], server: Server, told: (job: Job, fate: Fate, why: string) => Promise<unknown>): Promise<void> {
  for (const job of jobs.filter((one) => one.state === 'waiting')) {
    const { fate, why } = await sendJob(job, server)
    await told(job, fate, why)
    if (fate === 'waits') return
  }
}
