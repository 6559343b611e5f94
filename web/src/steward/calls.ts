/** Catalogue, lineage, sharing and changes of the standard, asked of the server. */
import { call } from '../api/call'
import type { Rows } from '../shared/list'
import type { Dataset, DatasetLine, File, Grant, GrantMove, GrantRequest, Lineage, Node, Plan, Sample, Usage, Version, VersionLine } from './types'

const at = (id: string | number): string => encodeURIComponent(String(id))

export const changes = {
  plan: (files: File[], trial = 200) => call<Plan>('POST', '/standard/changes/plan', { body: { files, trial } }),
  apply: (files: File[], reason: string, hash: string) => call<Version>('POST', '/standard/changes', { body: { files, reason, hash } }),
  versions: () => call<VersionLine[]>('GET', '/standard/versions'),
  version: (number: string | number) => call<Version>('GET', `/standard/versions/${at(number)}`),
  restore: (number: string | number, reason: string) => call<Version>('POST', `/standard/versions/${at(number)}/restore`, { body: { reason } }),
  exportLink: (number: string | number) => `/api/v1/standard/versions/${at(number)}/export`,
}

export const datasets = {
  list: (query: object) => call<Rows<DatasetLine>>('GET', '/datasets', { query }),
  get: (id: string) => call<Dataset>('GET', `/datasets/${at(id)}`),
  sample: (id: string) => call<Sample>('GET', `/datasets/${at(id)}/sample`),
}

export const lineage = {
  of: (node: string, direction: string, depth: number) => call<Lineage>('GET', '/lineage', { query: { node, direction, depth } }),
  nodes: (text: string, kind: string) => call<Node[]>('GET', '/lineage/nodes', { query: { text: text || undefined, kind: kind || undefined } }),
}

export const grants = {
  get: (id: string) => call<Grant>('GET', `/grants/${at(id)}`),
  ask: (body: GrantRequest) => call<Grant>('POST', '/grants', { body }),
  move: (id: string, move: GrantMove, reason: string) => call<Grant>('POST', `/grants/${at(id)}/moves`, { body: { move, reason } }),
  usage: (id: string) => call<Usage>('GET', `/grants/${at(id)}/usage`),
}
