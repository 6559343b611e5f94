/** What the client knows of the city: titles, zone, departments, areas, catalogue, and what time it is there. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Area, City, Clock, Matter, Title } from '../api/types'

export const useCity = defineStore('city', () => {
  const view = shallowRef<City | null>(null)
  const areas = shallowRef<Area[]>([])
  const matters = shallowRef<Matter[]>([])
  const clock = shallowRef<Clock | null>(null)
  const now = ref(Date.now())
  let anchor = { city: Date.now(), real: performance.now() }
  let lastMark = ''

  const zone = computed(() => view.value?.timezone ?? 'UTC')
  const departments = computed(() => new Map((view.value?.departments ?? []).map((d) => [d.id, d])))
  const series = computed(() => new Map((view.value?.series ?? []).map((s) => [s.id, s])))
  const areaTitles = computed(() => new Map(areas.value.map((a) => [a.code, a.title])))
  const districts = computed(() => areas.value.filter((a) => a.level === 'district'))

  /** A department's short name, else its full one, else its id. */
  function departmentTitle(id: string | null | undefined): Title | null {
    if (!id) return null
    const known = departments.value.get(id)
    return known ? (known.short ?? known.title) : { zh: id, en: id }
  }

  /** District and cell of an area, without saying the same thing twice. */
  function placeTitles(district: string | null | undefined, area: string | null | undefined): Title[] {
    const codes = [...new Set([district, area])].filter((code): code is string => !!code)
    return codes.map((code) => areaTitles.value.get(code) ?? { zh: code, en: code })
  }

  function setClock(next: Clock): void {
    clock.value = next
    anchor = { city: Date.parse(next.now), real: performance.now() }
    tick()
  }

  /** Let city time go on between two messages of the server. */
  function tick(): void {
    if (!clock.value) return
    now.value = anchor.city + (performance.now() - anchor.real) * clock.value.speed
  }

  async function load(): Promise<void> {
    view.value = await ask(api.GET('/api/v1/city'))
    setClock(view.value.clock)
  }

  /** Areas need a signed-in actor; once per actor is enough. */
  async function loadAreas(actor: string): Promise<void> {
    if (lastMark === actor && areas.value.length) return
    areas.value = await ask(api.GET('/api/v1/city/areas', {}))
    lastMark = actor
  }

  async function loadMatters(): Promise<void> {
    if (!matters.value.length) matters.value = await ask(api.GET('/api/v1/city/matters'))
  }

  async function setSpeed(speed: number): Promise<void> {
    setClock(await ask(api.PATCH('/api/v1/clock', { body: { speed } })))
  }

  return {
    view,
    areas,
    matters,
    clock,
    now,
    zone,
    departments,
    series,
    areaTitles,
    districts,
    departmentTitle,
    placeTitles,
    setClock,
    tick,
    load,
    loadAreas,
    loadMatters,
    setSpeed,
  }
})
