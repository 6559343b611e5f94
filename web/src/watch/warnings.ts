/** The open warnings, kept current by the stream; shared by list, map and panels. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Problem } from '../api/problem'
import type { Warning } from '../api/types'
import { useLive } from '../app/live'
import { graver, rank } from '../shared/levels'
import { asProblem } from '../shared/useLoad'

const MOST = 500
/** How often the lists may redraw while events pour in. */
const FRAME_MS = 250

export const useWarnings = defineStore('warnings', () => {
  const byId = shallowRef(new Map<string, Warning>())
  const total = ref(0)
  const loaded = ref(false)
  const problem = shallowRef<Problem | null>(null)
  /** A grave warning that has just been raised: the only thing on screen that may move. */
  const newest = shallowRef<Warning | null>(null)
  const live = useLive()
  const waiting = new Map<string, Warning>()
  let timer: number | undefined
  let off: (() => void)[] = []

  const open = computed(() => [...byId.value.values()].sort(graver))

  async function load(): Promise<void> {
    try {
      const page = await ask(api.GET('/api/v1/warnings', { params: { query: { status: 'open', size: MOST, sort: '-level' } } }))
      byId.value = new Map(page.items.map((w) => [w.id, w]))
      total.value = page.total
      problem.value = null
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      loaded.value = true
    }
  }

  function receive(warning: Warning): void {
    const isNew = !byId.value.has(warning.id) && !waiting.has(warning.id)
    if (isNew && warning.status === 'open' && rank(warning.level) >= 3) newest.value = warning
    waiting.set(warning.id, warning)
    timer ??= window.setTimeout(flush, FRAME_MS)
  }

  function flush(): void {
    timer = undefined
    const next = new Map(byId.value)
    for (const warning of waiting.values()) {
      if (warning.status === 'open') next.set(warning.id, warning)
      else next.delete(warning.id)
    }
    waiting.clear()
    byId.value = next
    total.value = Math.max(next.size, total.value < MOST ? next.size : total.value)
  }

  /** Put one warning in at once, for example the answer to an acknowledgement. */
  function put(warning: Warning): void {
    waiting.set(warning.id, warning)
    flush()
  }

  function start(): void {
    stop()
    off = [live.on('warning', receive), live.on('reset', () => void load())]
    void load()
  }

  function stop(): void {
    off.forEach((end) => end())
    off = []
    window.clearTimeout(timer)
    timer = undefined
  }

  return { byId, open, total, loaded, problem, newest, load, put, start, stop }
})
