/** The map itself: MapLibre behind a few verbs, so that the component above it stays about the city. */
import 'maplibre-gl/dist/maplibre-gl.css'

import { type GeoJSONSource, LngLatBounds, Map as LibreMap, Marker, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'

import type { City, Warning } from '../api/types'
import { rank } from '../shared/levels'
import { type Cluster, type Dot, gather, type Obstacle, placeLabels, stack, stepAside } from './cluster'
import { marks, markSize } from './marks'
import type { Camera } from './selection'
import { FONT, NAME_SIZE, type SourceId, style } from './style'

setWorkerUrl(workerUrl)

export interface CasePoint {
  id: string
  lon: number
  lat: number
  overdue: boolean
}
export type Hit =
  | { kind: 'warning'; id: string; all: string[] }
  | { kind: 'entity'; id: string }
  | { kind: 'cases'; ids: string[] }
  | { kind: 'nothing'; lon: number; lat: number }

const STILL = window.matchMedia('(prefers-reduced-motion: reduce)')
/** Zoom from which a click on a cluster lists its cases instead of going nearer. */
const LIST_ZOOM = 14.5
const PIN = { up: 21, r: 14 }

type Point = [number, number, Record<string, unknown>]

function points(list: readonly Point[]): GeoJSON.FeatureCollection {
  const features = list.map(([lon, lat, properties]) => ({
    type: 'Feature' as const,
    geometry: { type: 'Point' as const, coordinates: [lon, lat] },
    properties,
  }))
  return { type: 'FeatureCollection', features }
}

export class CityMapEngine {
  readonly map: LibreMap
  private readonly bounds: LngLatBounds
  private cases: readonly CasePoint[] = []
  private warnings: readonly Warning[] = []
  private clusters: Cluster[] = []
  private names: readonly { name: string; lon: number; lat: number }[] = []
  private showing = { cases: true, warnings: true, names: true }
  private selected = ''
  private ready: Promise<void>

  constructor(
    container: HTMLElement,
    view: City['map'],
    camera: Camera | null,
    private readonly margin: { left: number; bottom: number },
    private readonly onHit: (hit: Hit) => void,
    onCamera: (camera: Camera) => void,
  ) {
    this.bounds = new LngLatBounds([view.west, view.south], [view.east, view.north])
    this.map = new LibreMap({
      container,
      style: style(),
      ...(camera ? { center: [camera.lon, camera.lat], zoom: camera.zoom } : { bounds: this.bounds, fitBoundsOptions: { padding: this.padding() } }),
      minZoom: 7,
      maxZoom: 18,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
      localIdeographFontFamily: FONT,
      canvasContextAttributes: { preserveDrawingBuffer: true },
    })
    this.map.touchZoomRotate.disableRotation()
    this.ready = new Promise((resolve) => this.map.once('load', () => resolve()))
    for (const mark of marks()) this.ready = this.ready.then(() => void this.map.addImage(mark.name, mark.image, { pixelRatio: mark.ratio }))
    // Tests and pictures wait for this sign that everything is drawn.
    this.map.on('idle', () => (container.dataset.idle = 'true'))
    this.map.on('dataloading', () => (container.dataset.idle = 'false'))
    this.map.on('moveend', (event) => {
      this.arrange()
      const { lng, lat } = this.map.getCenter()
      if ((event as { originalEvent?: unknown }).originalEvent) onCamera({ lon: lng, lat, zoom: this.map.getZoom() })
    })
    this.map.on('click', (event) => this.click(event.point.x, event.point.y, event.lngLat.lng, event.lngLat.lat))
    this.map.on('mousemove', (event) => {
      const over = this.map.queryRenderedFeatures(event.point, { layers: ['pins', 'clusters', 'entities'] }).length > 0
      this.map.getCanvas().style.cursor = over ? 'pointer' : ''
    })
  }

  /** Replace the data of a source once the style stands. */
  async set(id: SourceId, data: GeoJSON.FeatureCollection): Promise<void> {
    await this.ready
    await (this.map.getSource(id) as GeoJSONSource | undefined)?.setData(data)
  }

  /** Few points glow as visibly as many: the weight falls as their number grows. */
  async setHeat(data: GeoJSON.FeatureCollection): Promise<void> {
    await this.set('heat', data)
    const weight = Math.min(5, Math.max(0.6, 900 / Math.max(1, data.features.length)))
    this.map.setPaintProperty('heat', 'heatmap-weight', weight)
  }

  async setCases(cases: readonly CasePoint[]): Promise<void> {
    this.cases = cases
    await this.ready
    this.arrange()
  }

  async setWarnings(warnings: readonly Warning[], selected: string): Promise<void> {
    this.warnings = warnings
    this.selected = selected
    await this.ready
    this.arrange()
  }

  async setNames(names: readonly { name: string; lon: number; lat: number }[]): Promise<void> {
    this.names = names
    await this.ready
    this.arrange()
  }

  /** Show or hide; `cases` and `warnings` are arranged together, so their order on screen stays right. */
  async show(layers: { id: string; on: boolean }[]): Promise<void> {
    await this.ready
    for (const { id, on } of layers) {
      if (id === 'cases' || id === 'warnings' || id === 'names') this.showing[id] = on
      else if (this.map.getLayer(id)) this.map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none')
    }
    this.arrange()
  }

  /** Shade cells by a share 0 … 1 of the busiest one. */
  async shade(shares: ReadonlyMap<string, number>): Promise<void> {
    await this.ready
    this.map.removeFeatureState({ source: 'cells' })
    for (const [code, share] of shares) this.map.setFeatureState({ source: 'cells', id: code }, { share })
  }

  /** Ring around what is selected and has no pin. */
  async ring(at: { lon: number; lat: number } | null): Promise<void> {
    await this.set('ring', points(at ? [[at.lon, at.lat, {}]] : []))
  }

  /** One quiet ring that runs out once, for a new grave warning. */
  pulse(warning: Warning): void {
    if (STILL.matches || warning.lon === null || warning.lat === null) return
    const element = document.createElement('div')
    element.className = `map-pulse ${warning.level}`
    const marker = new Marker({ element }).setLngLat([warning.lon, warning.lat]).addTo(this.map)
    window.setTimeout(() => marker.remove(), 2000)
  }

  /** Bring a place into view, without moving when it is well visible already. */
  reveal(lon: number, lat: number, margin: { left: number; bottom: number }): void {
    const { x, y } = this.map.project([lon, lat])
    const { clientWidth: w, clientHeight: h } = this.map.getContainer()
    const dx = x - Math.min(Math.max(x, margin.left + 60), w - 60)
    const dy = y - Math.min(Math.max(y, 90), h - margin.bottom - 30)
    if (dx || dy) this.map.panBy([dx, dy], { duration: STILL.matches ? 0 : 300 })
  }

  fit(box: [number, number, number, number] | null): void {
    const bounds = box ? new LngLatBounds([box[0], box[1]], [box[2], box[3]]) : this.bounds
    this.map.fitBounds(bounds, { padding: this.padding(), duration: STILL.matches ? 0 : 300 })
  }

  /** On a phone the sheet covers the lower part, which the city therefore leaves free. */
  private padding(): { left: number; right: number; top: number; bottom: number } {
    const narrow = this.margin.left === 0
    return { left: narrow ? 10 : 36, right: narrow ? 10 : 36, top: narrow ? 64 : 52, bottom: narrow ? this.margin.bottom + 16 : 60 }
  }

  zoom(step: number): void {
    this.map.zoomTo(this.map.getZoom() + step, { duration: STILL.matches ? 0 : 200 })
  }

  destroy(): void {
    this.map.remove()
  }

  /** Lay clusters and pins out for the present view. */
  private arrange(): void {
    if (!this.map.getSource('pins')) return
    const pins = this.showing.warnings ? this.arrangePins() : []
    const { clientWidth: w, clientHeight: h } = this.map.getContainer()
    const inView: number[] = []
    const dots: Dot[] = []
    if (this.showing.cases) {
      this.cases.forEach((one, i) => {
        const { x, y } = this.map.project([one.lon, one.lat])
        if (x < -60 || y < -60 || x > w + 60 || y > h + 60) return
        inView.push(i)
        dots.push({ x, y, overdue: one.overdue })
      })
    }
    this.clusters = gather(dots)
    const names = this.showing.names ? this.arrangeNames(pins) : []
    stepAside(this.clusters, [...pins, ...names])
    for (const cluster of this.clusters) cluster.members = cluster.members.map((i) => inView[i] as number)
    const features = this.clusters.map((cluster, index): Point => {
      const { lng, lat } = this.map.unproject([cluster.x, cluster.y])
      const tail = cluster.overdue > 0 ? '-overdue' : ''
      const icon = cluster.count === 1 ? `case${tail}` : `cluster-${markSize(cluster.r)}${tail}`
      return [lng, lat, { index, icon, count: cluster.count, label: cluster.count === 1 ? '' : String(cluster.count) }]
    })
    if (!this.showing.names) void this.set('names', points([]))
    void this.set('clusters', points(features))
    void this.set('pins', points(this.showing.warnings ? this.pinFeatures : []))
  }

  /** Names keep clear of pins; clusters then keep clear of names. */
  private arrangeNames(pins: Obstacle[]): Obstacle[] {
    const labels = this.names.map(({ name, lon, lat }) => {
      const { x, y } = this.map.project([lon, lat])
      const wide = [...name].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? 1.1 : 0.65), 0) * NAME_SIZE
      return { x, y, half: Math.max(0, wide / 2 - 8) }
    })
    const placed = placeLabels(labels, pins, this.map.getContainer().clientWidth)
    const features = placed.map((spot): Point => {
      const { lng, lat } = this.map.unproject([spot.x, spot.y])
      return [lng, lat, { name: this.names[spot.index]?.name }]
    })
    void this.set('names', points(features))
    return placed
  }

  private pinFeatures: Point[] = []

  private arrangePins(): Obstacle[] {
    const placed = this.warnings
      .filter((w) => w.lon !== null && w.lat !== null)
      .map((w) => ({ ...this.map.project([w.lon as number, w.lat as number]), w }))
      .sort((a, b) => Number(b.w.id === this.selected) - Number(a.w.id === this.selected))
    const stacks = stack(placed, this.margin.left === 0 ? 34 : 22)
    this.pinFeatures = stacks.map(({ pin, all }): Point => {
      const gravest = all.reduce((a, b) => (rank(b.w.level) > rank(a.w.level) ? b : a))
      const chosen = pin.w.id === this.selected
      const shown = chosen ? pin.w : gravest.w
      return [
        shown.lon as number,
        shown.lat as number,
        {
          id: shown.id,
          all: all.map((a) => a.w.id).join(' '),
          icon: `pin-${shown.level}${chosen ? '-selected' : ''}`,
          rank: chosen ? 9 : rank(shown.level),
          label: all.length > 1 ? `×${all.length}` : '',
        },
      ]
    })
    return stacks.map(({ pin }) => ({ x: pin.x, y: pin.y - PIN.up, r: PIN.r }))
  }

  private click(x: number, y: number, lon: number, lat: number): void {
    const reach: [[number, number], [number, number]] = [
      [x - 4, y - 4],
      [x + 4, y + 4],
    ]
    const hit = this.map.queryRenderedFeatures(reach, { layers: ['pins', 'clusters', 'entities'] })[0]
    if (!hit) return this.onHit({ kind: 'nothing', lon, lat })
    const p = hit.properties as Record<string, string>
    if (hit.layer.id === 'pins') return this.onHit({ kind: 'warning', id: String(p.id), all: String(p.all).split(' ') })
    if (hit.layer.id === 'entities') return this.onHit({ kind: 'entity', id: String(p.id) })
    const cluster = this.clusters[Number(p.index)]
    if (cluster) this.openCluster(cluster)
  }

  private openCluster(cluster: Cluster): void {
    const members = cluster.members.map((i) => this.cases[i]).filter((c) => c !== undefined)
    const box = new LngLatBounds()
    for (const one of members) box.extend([one.lon, one.lat])
    const wide = Math.max(box.getEast() - box.getWest(), box.getNorth() - box.getSouth())
    if (members.length === 1 || wide < 0.0005 || this.map.getZoom() >= LIST_ZOOM) {
      this.onHit({ kind: 'cases', ids: members.map((m) => m.id) })
    } else this.map.fitBounds(box, { padding: 120, maxZoom: 16, duration: STILL.matches ? 0 : 300 })
  }
}
