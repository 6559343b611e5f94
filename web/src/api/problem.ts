/** A refusal of the server (RFC 9457) or of the network, in a form that screens can show. */
import type { Title } from './types'

export interface Fault {
  where: string
  what: string
  mend: string
  /** The same in both languages, where the server has it so. */
  said?: Title | null
  remedy?: Title | null
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly mend = '',
    readonly faults: Fault[] = [],
    /** Posts that could do or see what was refused. */
    readonly able: string[] = [],
    /** Everything else that the answer says. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail)
  }
}

/** Read a problem document; whatever else a proxy may have answered becomes a problem with its status. */
export function problemFrom(status: number, body: unknown): Problem {
  if (typeof body !== 'object' || body === null) {
    return new Problem(status, 'unreadable', typeof body === 'string' ? body.slice(0, 200) : '')
  }
  const doc = body as Record<string, unknown>
  const text = (key: string): string => (typeof doc[key] === 'string' ? (doc[key] as string) : '')
  const faults = Array.isArray(doc.faults) ? (doc.faults as Fault[]) : []
  const able = Array.isArray(doc.able) ? doc.able.map(String) : []
  return new Problem(status, text('code'), text('detail') || text('title'), text('mend'), faults, able, doc)
}
