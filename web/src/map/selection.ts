/** One selection and one set of filters for list, map and timeline; the URL holds them. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { useRouter } from 'vue-router'

import type { Level } from '../api/types'
import { isLevel } from '../shared/levels'
import { keep, kept } from '../shared/storage'

export type LayerId = 'districts' | 'cells' | 'warnings' | 'cases' | 'heat' | 'labels'
export const LAYERS: readonly LayerId[] = ['warnings', 'cases', 'districts', 'cells', 'heat', 'labels']
export type Mode = 'state' | 'cells'
export interface Selected {
  kind: 'warning' | 'case' | 'entity'
  id: string
}
export interface Camera {
  lon: number
  lat: number
  zoom: number
}

const KIND: Record<string, Selected['kind']> = { w: 'warning', c: 'case', e: 'entity' }

/** `w:01J…` → a selection; anything else → none. */
export function selectedFrom(text: unknown): Selected | null {
  if (typeof text !== 'string') return null
  const kind = KIND[text.slice(0, 1)]
  return kind && text[1] === ':' && text.length > 2 ? { kind, id: text.slice(2) } : null
}

export function selectedText(selected: Selected | null): string | undefined {
  return selected ? `${selected.kind[0]}:${selected.id}` : undefined
}

export function cameraFrom(text: unknown): Camera | null {
  if (typeof text !== 'string') return null
  const [lon, lat, zoom] = text.split(',').map(Number)
  return [lon, lat, zoom].every((n) => Number.isFinite(n)) ? { lon: lon!, lat: lat!, zoom: zoom! } : null
}

export const useMapState = defineStore('map', () => {
  const router = useRouter()
  const selected = ref<Selected | null>(null)
  const levels = ref<Level[]>([])
  const unseenOnly = ref(false)
  const window = ref<{ from: number; to: number } | null>(null)
  const area = ref('')
  const mode = ref<Mode>('state')
  const camera = ref<Camera | null>(null)
  const stored = kept('layers')
  const on = reactive(new Set<string>((stored ?? 'districts,cells,warnings,cases,labels,heat').split(',')))

  /** Whoever has never chosen layers sees every kind of entity. */
  function offer(types: readonly string[]): void {
    if (stored === null) types.forEach((type) => on.add(`type:${type}`))
  }

  function toggle(layer: string): void {
    if (!on.delete(layer)) on.add(layer)
    keep('layers', [...on].join(','))
  }

  const query = computed(() => ({
    sel: selectedText(selected.value),
    level: levels.value.length ? levels.value.join(',') : undefined,
    unseen: unseenOnly.value ? '1' : undefined,
    from: window.value ? new Date(window.value.from).toISOString() : undefined,
    to: window.value ? new Date(window.value.to).toISOString() : undefined,
    area: area.value || undefined,
    mode: mode.value === 'cells' ? 'cells' : undefined,
    at: camera.value
      ? `${camera.value.lon.toFixed(4)},${camera.value.lat.toFixed(4)},${camera.value.zoom.toFixed(2)}`
      : undefined,
  }))

  /** Take over what the address says. */
  function fromRoute(route: Record<string, unknown>): void {
    selected.value = selectedFrom(route.sel)
    levels.value = String(route.level ?? '').split(',').filter(isLevel)
    unseenOnly.value = route.unseen === '1'
    const from = Date.parse(String(route.from ?? ''))
    const to = Date.parse(String(route.to ?? ''))
    window.value = from < to ? { from, to } : null
    area.value = typeof route.area === 'string' ? route.area : ''
    mode.value = route.mode === 'cells' ? 'cells' : 'state'
    camera.value = cameraFrom(route.at)
  }

  watch(query, (next) => {
    if (router.currentRoute.value.name === 'map') void router.replace({ name: 'map', query: next })
  })

  return { selected, levels, unseenOnly, window, area, mode, camera, on, offer, toggle, fromRoute, query }
})
