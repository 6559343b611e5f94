/** Scores, evidence and inspections, asked of the server. */
import { call } from '../api/call'
import type { Rows } from '../shared/list'
import type { Breach, Evidence, FeedHours, Finding, Inspection, InspectionMove, InspectionPlan, Scheme } from './types'

const at = (id: string): string => encodeURIComponent(id)

export const quality = {
  scheme: () => call<Scheme>('GET', '/quality/scheme'),
  hours: (feed: string, query: object) => call<FeedHours>('GET', `/quality/feeds/${at(feed)}/hours`, { query }),
  evidence: (feed: string, query: object) => call<Rows<Evidence>>('GET', `/quality/feeds/${at(feed)}/evidence`, { query }),
  breaches: (query: object) => call<Rows<Breach>>('GET', '/quality/breaches', { query }),
}

export const inspections = {
  get: (id: string) => call<Inspection>('GET', `/inspections/${at(id)}`),
  plan: (body: InspectionPlan) => call<Inspection>('POST', '/inspections', { body }),
  move: (id: string, move: InspectionMove) => call<Inspection>('POST', `/inspections/${at(id)}/${move}`),
  findings: (id: string, query: object) => call<Rows<Finding>>('GET', `/inspections/${at(id)}/findings`, { query }),
  reportLink: (id: string, format: 'html' | 'xlsx', language: string) => `/api/v1/inspections/${at(id)}/report?format=${format}&language=${language}`,
}
