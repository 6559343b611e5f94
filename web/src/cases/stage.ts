/** Sends files ahead of the report that names them by their hash. */
import { call, formOf } from '../api/call'
import type { components } from '../api/schema'

type Schemas = components['schemas']
type Kind = Schemas['AttachmentRef']['kind']

/** Send each file; what the server refuses (size, type) is thrown, and no report is sent. */
export async function stage(files: readonly File[], kind: Kind): Promise<Schemas['AttachmentRef'][]> {
  const sent: Schemas['AttachmentRef'][] = []
  for (const file of files) {
    const found = await call<Schemas['AttachmentView']>('POST', '/attachments', { form: formOf({ file, kind: kind ?? 'before' }) })
    sent.push({ hash: found.hash, kind })
  }
  return sent
}
