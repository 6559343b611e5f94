/** The screens of the data platform, and who is offered them. */
import type { useSession } from '../access/session'

interface Entry {
  name: string
  to: string
  word: string
  /** Offered to who may do one of these, or sees one of those. */
  may?: readonly string[]
  sees?: readonly string[]
  belongs: readonly string[]
}

interface Group {
  word: string
  entries: readonly Entry[]
}

export const DATA_GROUPS: readonly Group[] = [
  {
    word: 'data.intake',
    entries: [
      { name: 'sources', to: '/data/sources', word: 'data.sources', sees: ['source'], belongs: ['sources', 'source'] },
      { name: 'mapping', to: '/data/mapping', word: 'data.mapping', may: ['standard.change'], belongs: ['mapping'] },
      { name: 'quarantine', to: '/data/quarantine', word: 'data.quarantine', sees: ['quarantine'], belongs: ['quarantine', 'quarantine-record'] },
    ],
  },
  {
    word: 'data.rules',
    entries: [
      { name: 'types', to: '/data/standard/types', word: 'data.standard', may: ['standard.read'], belongs: ['types', 'type', 'code-lists', 'code-list', 'units'] },
      { name: 'versions', to: '/data/versions', word: 'data.versions', sees: ['dataset'], belongs: ['versions', 'version', 'change'] },
    ],
  },
  {
    word: 'data.care',
    entries: [
      { name: 'scores', to: '/data/quality', word: 'data.scores', may: ['quality.read'], belongs: ['scores', 'feed-quality'] },
      { name: 'inspections', to: '/data/inspections', word: 'data.inspections', may: ['quality.read'], belongs: ['inspections', 'inspection', 'inspection-new'] },
    ],
  },
  {
    word: 'data.use',
    entries: [
      { name: 'datasets', to: '/data/datasets', word: 'data.datasets', sees: ['dataset'], belongs: ['datasets', 'dataset'] },
      { name: 'lineage', to: '/data/lineage', word: 'data.lineage', sees: ['dataset'], belongs: ['lineage'] },
      { name: 'grants', to: '/data/grants', word: 'data.grants', sees: ['grant'], belongs: ['grants', 'grant', 'grant-new'] },
    ],
  },
]

type Session = Pick<ReturnType<typeof useSession>, 'may' | 'sees'>

function offered(entry: Entry, session: Session): boolean {
  return (entry.may ?? []).some((one) => session.may(one)) || (entry.sees ?? []).some((one) => session.sees(one))
}

/** The groups with what this actor is offered; empty ones are left out. */
export function offeredGroups(session: Session): Group[] {
  return DATA_GROUPS.map((group) => ({ ...group, entries: group.entries.filter((entry) => offered(entry, session)) })).filter((group) => group.entries.length > 0)
}
