/** Sources and the quarantine, asked of the server. */
import { call } from '../api/call'
import type { Rows } from '../shared/list'
import type { DryRun, HeldDetail, HeldSummary, Replay, Source } from './types'

const at = (id: string): string => encodeURIComponent(id)

export const sources = {
  list: (query: object) => call<Rows<Source>>('GET', '/sources', { query }),
  get: (id: string) => call<Source>('GET', `/sources/${at(id)}`),
  pause: (id: string, reason: string) => call<Source>('POST', `/sources/${at(id)}/pause`, { body: { reason } }),
  resume: (id: string) => call<Source>('POST', `/sources/${at(id)}/resume`),
  run: (id: string) => call<Source>('POST', `/sources/${at(id)}/run`),
  dryRun: (id: string, records?: unknown) => call<DryRun>('POST', `/sources/${at(id)}/dry-run`, { body: records }),
}

export const quarantine = {
  summary: (query: object) => call<HeldSummary>('GET', '/quarantine/summary', { query }),
  get: (id: string) => call<HeldDetail>('GET', `/quarantine/${at(id)}`),
  correct: (id: string, body: { fields: Record<string, unknown>; why: string; replay: boolean }) => call<HeldDetail>('POST', `/quarantine/${at(id)}/correct`, { body }),
  discard: (id: string, why: string) => call<HeldDetail>('POST', `/quarantine/${at(id)}/discard`, { body: { why } }),
  replay: (selection: object) => call<Replay>('POST', '/quarantine/replay', { body: selection }),
  replays: () => call<Replay[]>('GET', '/quarantine/replays'),
  watch: (id: string) => call<Replay>('GET', `/quarantine/replays/${at(id)}`),
  stop: (id: string) => call<Replay>('POST', `/quarantine/replays/${at(id)}/stop`),
}
