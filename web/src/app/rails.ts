/** Rooms with many screens: each has a rail of them, in groups, with who is offered what. */
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

export interface Rail {
  name: string
  word: string
  groups: readonly Group[]
}

const LINKAGE_GROUPS: readonly Group[] = [
  {
    word: 'linkage.acting',
    entries: [
      { name: 'runs', to: '/runs', word: 'linkage.runs', sees: ['run'], belongs: ['runs', 'run'] },
      { name: 'responses', to: '/responses', word: 'emergency.title', sees: ['response'], belongs: ['responses', 'response'] },
      { name: 'tasks', to: '/tasks', word: 'linkage.tasks', sees: ['run_task'], belongs: ['tasks', 'task'] },
    ],
  },
  {
    word: 'command.title',
    entries: [
      { name: 'commands', to: '/commands', word: 'command.log', sees: ['command'], belongs: ['commands', 'command'] },
      { name: 'command-contacts', to: '/commands/contacts', word: 'command.contacts', sees: ['command'], belongs: ['command-contacts'] },
    ],
  },
  {
    word: 'linkage.rules',
    entries: [
      { name: 'plans', to: '/plans', word: 'linkage.plans', sees: ['plan'], belongs: ['plans', 'plan', 'plan-edit'] },
      { name: 'decision-tables', to: '/decisions', word: 'decide.tables', may: ['decision.read'], belongs: ['decision-tables', 'decision-table'] },
      { name: 'decision-log', to: '/decisions/log', word: 'decide.log', sees: ['decision'], belongs: ['decision-log', 'decision'] },
    ],
  },
  {
    word: 'approve.title',
    entries: [
      { name: 'approvals', to: '/approvals', word: 'approve.queue', sees: ['application'], belongs: ['approvals', 'approval'] },
      { name: 'approval-rates', to: '/approvals/rates', word: 'approve.rates', sees: ['application'], belongs: ['approval-rates'] },
    ],
  },
]

const DATA_GROUPS: readonly Group[] = [
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

export const RAILS: readonly Rail[] = [
  { name: 'linkage', word: 'nav.linkage', groups: LINKAGE_GROUPS },
  { name: 'data', word: 'nav.data', groups: DATA_GROUPS },
]

/** The rail with what this actor is offered; empty groups are left out. */
export function offeredGroups(name: string, session: Session): Group[] {
  const groups = RAILS.find((rail) => rail.name === name)?.groups ?? []
  return groups.map((group) => ({ ...group, entries: group.entries.filter((entry) => offered(entry, session)) })).filter((group) => group.entries.length > 0)
}

/** The names of all screens of a rail. */
export function screensOf(rail: Rail): string[] {
  return rail.groups.flatMap((group) => group.entries.flatMap((entry) => [...entry.belongs]))
}

/** The rail on which a screen stands, if it stands on one. */
export function railOf(screen: string): Rail | undefined {
  return RAILS.find((rail) => screensOf(rail).includes(screen))
}
