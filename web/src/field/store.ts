/** What a phone keeps while there is no network: work that is yet to be sent, the last list of tasks, things seen around. */
import type { CaseDetail, CaseReport, Schemas } from '../api/types'

export interface Picture {
  blob: Blob
  kind: 'before' | 'after' | 'evidence'
  /** Set once the server has it, so that nothing is sent twice. */
  hash?: string
}

interface Common {
  id: string
  account: string
  at: number
  title: string
  pictures: Picture[]
  state: 'waiting' | 'refused'
  /** Why the server refused it. */
  why: string
}
export interface ReportJob extends Common {
  kind: 'report'
  report: Omit<CaseReport, 'attachments'>
}
export interface MoveJob extends Common {
  kind: 'move'
  case: string
  number: string
  /** The state in which it was decided: in another one the move is not made. */
  from: string
  move: string
  opinion: string
  fields: Record<string, string>
}
export type Job = ReportJob | MoveJob

export interface Tasks {
  account: string
  at: number
  cases: CaseDetail[]
}

export interface Things {
  account: string
  at: number
  things: Schemas['NearEntity'][]
}

const NAME = 'cityloop-field'
const STORES = { jobs: 'id', tasks: 'account', things: 'account' } as const
type Store = keyof typeof STORES

function opened(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const wish = indexedDB.open(NAME, 2)
    wish.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) {
        if (!wish.result.objectStoreNames.contains(store)) wish.result.createObjectStore(store, { keyPath })
      }
    }
    wish.onsuccess = () => done(wish.result)
    wish.onerror = () => fail(wish.error ?? new Error('no store'))
  })
}

async function within<T>(store: Store, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const base = await opened()
  try {
    return await new Promise<T>((done, fail) => {
      const tx = base.transaction(store, mode)
      const wish = act(tx.objectStore(store))
      tx.oncomplete = () => done(wish.result)
      tx.onerror = tx.onabort = () => fail(tx.error ?? new Error('not stored'))
    })
  } finally {
    base.close()
  }
}

export const putJob = (job: Job): Promise<unknown> => within('jobs', 'readwrite', (store) => store.put(job))
export const dropJob = (id: string): Promise<unknown> => within('jobs', 'readwrite', (store) => store.delete(id))
export const putTasks = (tasks: Tasks): Promise<unknown> => within('tasks', 'readwrite', (store) => store.put(tasks))
/** Nothing of what an account has read stays behind. */
export const forgetRead = (): Promise<unknown> => Promise.all((['tasks', 'things'] as const).map((name) => within(name, 'readwrite', (store) => store.clear())))
export const tasksOf = (account: string): Promise<Tasks | undefined> => within<Tasks | undefined>('tasks', 'readonly', (store) => store.get(account))

export const putThings = (things: Things): Promise<unknown> => within('things', 'readwrite', (store) => store.put(things))
export const thingsOf = (account: string): Promise<Things | undefined> => within<Things | undefined>('things', 'readonly', (store) => store.get(account))

/** The jobs of an account, the oldest first; nobody is shown another's. */
export async function jobsOf(account: string): Promise<Job[]> {
  const all = await within<Job[]>('jobs', 'readonly', (store) => store.getAll())
  return all.filter((job) => job.account === account).sort((a, b) => a.at - b.at)
}
