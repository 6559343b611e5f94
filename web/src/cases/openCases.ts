/** All open cases as points (newest 5,000), and the newest moves, kept current by the stream. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Problem } from '../api/problem'
import type { Case, Light } from '../api/types'
import { useLive } from '../app/live'
import { asProblem } from '../shared/useLoad'

export interface OpenCase {
  id: string
  number: string
  title: string
  state: string
  light: Light
  department: string | null
  lon: number
  lat: number
  openedAt: number | null
}

/** The server gives no more than this many points. */
export const MOST_POINTS = 5000
const FRAME_MS = 1000
const MOVES_KEPT = 12

interface PointFeature {
  geometry: { coordinates: [number, number] }
  properties: { id: string; number: string; title: string; state: string; light: Light; department: string | null }
}

export function fromFeatures(collection: unknown): OpenCase[] {
  const features = (collection as { features?: PointFeature[] }).features ?? []
  return features.map(({ geometry, properties }) => ({
    ...properties,
    lon: geometry.coordinates[0],
    lat: geometry.coordinates[1],
    openedAt: null,
  }))
}

function fromCase(one: Case): OpenCase {
  const { id, number, title, state, light, department, lon, lat } = one
  return { id, number, title, state, light, department, lon, lat, openedAt: Date.parse(one.opened_at) }
}

export interface DepartmentLoad {
  department: string
  open: number
  overdue: number
}

/** Open and overdue cases by department, busiest first; cases not yet dispatched are left out. */
export function byDepartment(cases: Iterable<OpenCase>): DepartmentLoad[] {
  const loads = new Map<string, DepartmentLoad>()
  for (const one of cases) {
    if (!one.department) continue
    const load = loads.get(one.department) ?? { department: one.department, open: 0, overdue: 0 }
    load.open += 1
    if (one.light === 'red') load.overdue += 1
    loads.set(one.department, load)
  }
  return [...loads.values()].sort((a, b) => b.open - a.open)
}

export const useOpenCases = defineStore('openCases', () => {
  const byId = shallowRef(new Map<string, OpenCase>())
  const total = ref(0)
  const moves = shallowRef<Case[]>([])
  const loaded = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const live = useLive()
  const waiting = new Map<string, Case>()
  let timer: number | undefined
  let refresh: number | undefined
  let off: (() => void)[] = []

  const all = computed(() => [...byId.value.values()])
  const overdue = computed(() => all.value.filter((c) => c.light === 'red').length)
  const toDispatch = computed(() => all.value.filter((c) => c.state === 'to_dispatch').length)
  const loads = computed(() => byDepartment(all.value))

  async function load(): Promise<void> {
    try {
      const [collection, count, newest] = await Promise.all([
        ask(api.GET('/api/v1/cases.geojson', { params: { query: { open: true } } })),
        ask(api.GET('/api/v1/cases', { params: { query: { open: true, size: 1 } } })),
        ask(api.GET('/api/v1/cases', { params: { query: { sort: '-updated_at', size: MOVES_KEPT } } })),
      ])
      byId.value = new Map(fromFeatures(collection).map((c) => [c.id, c]))
      total.value = count.total
      moves.value = newest.items
      problem.value = null
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      loaded.value = true
    }
  }

  function receive(one: Case): void {
    waiting.set(one.id, one)
    timer ??= window.setTimeout(flush, FRAME_MS)
  }

  function flush(): void {
    timer = undefined
    const next = new Map(byId.value)
    for (const one of waiting.values()) {
      const was = next.has(one.id)
      if (one.closed_at || finalStates.has(one.state)) {
        if (next.delete(one.id)) total.value -= 1
      } else {
        next.set(one.id, fromCase(one))
        if (!was) total.value += 1
      }
    }
    const fresh = [...waiting.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
    moves.value = [...fresh, ...moves.value.filter((m) => !waiting.has(m.id))].slice(0, MOVES_KEPT)
    waiting.clear()
    byId.value = next
  }

  /** Ends that leave no closing time (declined, merged, void). */
  const finalStates = new Set<string>()
  async function loadStates(): Promise<void> {
    const states = await ask(api.GET('/api/v1/case-states'))
    states.filter((s) => s.final).forEach((s) => finalStates.add(s.id))
  }

  function start(): void {
    stop()
    off = [live.on('case', receive), live.on('reset', () => void load())]
    void loadStates().catch(() => undefined)
    void load()
    // Lights turn by the passing of time, which no event tells.
    refresh = window.setInterval(() => void load(), 30_000)
  }

  function stop(): void {
    off.forEach((end) => end())
    off = []
    window.clearTimeout(timer)
    window.clearInterval(refresh)
    timer = undefined
  }

  return { byId, all, total, overdue, toDispatch, loads, moves, loaded, problem, load, start, stop }
})
