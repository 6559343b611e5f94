/** Everything the map draws, under the filters in force. */
import { computed, shallowRef, watch } from 'vue'

import { api, ask } from '../api/client'
import type { Entity, EntityType, Warning } from '../api/types'
import { fromFeatures, type OpenCase, useOpenCases } from '../cases/openCases'
import { useCity } from '../city/city'
import { graver } from '../shared/levels'
import { useEvery } from '../shared/useEvery'
import { useLoad } from '../shared/useLoad'
import { useWarnings } from '../watch/warnings'
import type { CasePoint } from './engine'
import { boxOf, holds } from './geometry'
import { useHours } from './hours'
import { useMapState } from './selection'

const DAY = 86_400_000

type Shapes = GeoJSON.FeatureCollection

export function useMapData() {
  const state = useMapState()
  const city = useCity()
  const open = useWarnings()
  const cases = useOpenCases()
  const hours = useHours()

  const shapes = useLoad(async () => {
    const [districts, cells, types] = await Promise.all([
      ask(api.GET('/api/v1/city/areas.geojson', { params: { query: { level: 'district' } } })),
      ask(api.GET('/api/v1/city/areas.geojson', { params: { query: { level: 'cell' } } })),
      ask(api.GET('/api/v1/entity-types')).catch((): EntityType[] => []),
    ])
    state.offer(types.map((type) => type.id))
    return { districts: districts as unknown as Shapes, cells: cells as unknown as Shapes, types }
  })
  void shapes.run()

  /** Warnings and cases of a chosen stretch of time, instead of the open ones. */
  const past = useLoad(async () => {
    const range = state.window
    if (!range) return null
    const [start, end] = [new Date(range.from).toISOString(), new Date(range.to).toISOString()]
    const [warnings, points] = await Promise.all([
      ask(api.GET('/api/v1/warnings', { params: { query: { start, end, size: 500 } } })),
      ask(api.GET('/api/v1/cases.geojson', { params: { query: { opened_from: start, opened_to: end } } })),
    ])
    return { warnings: warnings.items, cases: fromFeatures(points) }
  })
  watch(() => state.window, () => past.run(), { immediate: true })

  const district = computed(() => shapes.data.value?.districts.features.find((f) => f.properties?.code === state.area))
  const pool = computed<Warning[]>(() => (state.window ? [...(past.data.value?.warnings ?? [])].sort(graver) : open.open))
  const inArea = computed(() => pool.value.filter((w) => !state.area || (w.area ?? w.district ?? '').startsWith(state.area)))
  const warnings = computed(() =>
    inArea.value.filter((w) => (!state.levels.length || state.levels.includes(w.level)) && (!state.unseenOnly || !w.acknowledged_at)),
  )

  const casePoints = computed<CasePoint[]>(() => {
    const source: readonly OpenCase[] = state.window ? (past.data.value?.cases ?? []) : cases.all
    const geometry = district.value?.geometry
    const box = geometry ? boxOf(geometry) : null
    return source
      .filter((c) => {
        if (!geometry || !box) return true
        return c.lon >= box[0] && c.lon <= box[2] && c.lat >= box[1] && c.lat <= box[3] && holds(geometry, c.lon, c.lat)
      })
      .map((c) => ({ id: c.id, lon: c.lon, lat: c.lat, overdue: c.light === 'red' }))
  })

  const heat = shallowRef<Shapes | null>(null)
  async function loadHeat(): Promise<void> {
    if (!state.on.has('heat')) return
    const from = new Date(city.now - DAY).toISOString()
    heat.value = (await ask(api.GET('/api/v1/cases.geojson', { params: { query: { opened_from: from } } }))) as unknown as Shapes
  }

  const entities = shallowRef<Entity[]>([])
  const wantedTypes = computed(() => [...state.on].filter((id) => id.startsWith('type:')).map((id) => id.slice(5)))
  async function loadEntities(): Promise<void> {
    const answers = await Promise.all(
      wantedTypes.value.map((type) => ask(api.GET('/api/v1/entities.geojson', { params: { query: { entity_type: type } } }))),
    )
    entities.value = answers.flatMap((answer) => ((answer.features ?? []) as { properties: Entity }[]).map((f) => f.properties))
  }
  const quietly = (act: () => Promise<void>) => (): void => void act().catch(() => undefined)
  watch(wantedTypes, quietly(loadEntities))
  watch(() => state.on.has('heat'), quietly(loadHeat))
  useEvery(30_000, quietly(loadHeat))
  useEvery(20_000, quietly(loadEntities))
  useEvery(10_000, () => hours.load())

  const counts = computed<Record<string, number | null>>(() => ({
    warnings: open.total,
    cases: cases.total,
    districts: shapes.data.value?.districts.features.length ?? null,
    cells: shapes.data.value?.cells.features.length ?? null,
    heat: heat.value?.features.length ?? null,
    labels: null,
  }))

  return { shapes, past, pool: inArea, warnings, casePoints, heat, entities, counts, district }
}
