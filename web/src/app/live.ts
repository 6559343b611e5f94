/** The live stream as the screens see it: its state, the freshness of the feeds, and events to subscribe to. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

import { api, ask } from '../api/client'
import { Stream, type LiveEvent, type LiveState } from '../api/stream'
import type { Case, Clock, Warning } from '../api/types'
import { useCity } from '../city/city'
import type { Run, Task } from '../linkage/types'

export interface FeedsState {
  delay_seconds: number | null
  fresh: number
  total: number
}

interface Events {
  warning: Warning
  case: Case
  /** A command that changed: what its event tells of it. */
  command: { id: string }
  run: Pick<Run, 'id' | 'state'>
  task: Pick<Task, 'id' | 'run' | 'state'>
  reset: null
}

type Listener<K extends keyof Events> = (data: Events[K]) => void

export const useLive = defineStore('live', () => {
  const state = ref<LiveState>('connecting')
  const feeds = ref<FeedsState | null>(null)
  const listeners: { [K in keyof Events]: Set<Listener<K>> } = { warning: new Set(), case: new Set(), command: new Set(), run: new Set(), task: new Set(), reset: new Set() }
  const city = useCity()

  const stream = new Stream('/api/v1/stream', receive, (next) => {
    state.value = next
    // A stream also breaks when the session ends: asking who we are leads to the door then.
    if (next === 'lost') void ask(api.GET('/api/v1/session')).catch(() => undefined)
  })

  function receive(event: LiveEvent): void {
    if (event.name === 'clock' && event.data) city.setClock(event.data as Clock)
    else if (event.name === 'feeds' && event.data) feeds.value = event.data as FeedsState
    else if (event.name === 'warning' && event.data) listeners.warning.forEach((tell) => tell(event.data as Warning))
    else if (event.name === 'case' && event.data) listeners.case.forEach((tell) => tell(event.data as Case))
    else if (event.name === 'command' && event.data) listeners.command.forEach((tell) => tell(event.data as { id: string }))
    else if (event.name === 'run' && event.data) listeners.run.forEach((tell) => tell(event.data as Run))
    else if (event.name === 'task' && event.data) listeners.task.forEach((tell) => tell(event.data as Task))
    else if (event.name === 'reset') listeners.reset.forEach((tell) => tell(null))
  }

  /** Subscribe; the answer ends the subscription. */
  function on<K extends keyof Events>(name: K, listener: Listener<K>): () => void {
    const set = listeners[name] as Set<Listener<K>>
    set.add(listener)
    return () => set.delete(listener)
  }

  return { state, feeds, on, start: () => stream.start(), stop: () => stream.stop() }
})
