/** What the viewer and the editor of diagrams share: colours of the theme, marks on elements, the view. */
import 'bpmn-js/dist/assets/diagram-js.css'
import 'bpmn-js/dist/assets/bpmn-js.css'
import './diagram.css'

import type BaseViewer from 'bpmn-js/lib/BaseViewer'

import { token } from '../theme/theme'
import { EXTENSION, type Model } from './extension'
import type { Mark, MarkState } from './types'

interface Canvas {
  zoom: (to?: number | 'fit-viewport', at?: 'auto') => number
  addMarker: (id: string, marker: string) => void
  removeMarker: (id: string, marker: string) => void
  scrollToElement: (id: string, padding?: number) => void
}
interface Overlays {
  add: (id: string, kind: string, overlay: { position: object; html: HTMLElement; scale?: boolean }) => void
  remove: (filter: { type: string }) => void
}
export interface Shape {
  id: string
  type: string
  businessObject: Model
  parent?: Shape
  labelTarget?: Shape
}
interface Registry {
  get: (id: string) => Shape | undefined
  getAll: () => Shape[]
}
export interface EventBus {
  on: (name: string | string[], tell: (event: { element?: Shape; newSelection?: Shape[] }) => void) => void
}

/** Colours and type in the palette in force, and our extension. */
export function options(container: HTMLElement): object {
  return {
    container,
    moddleExtensions: { cl: EXTENSION },
    bpmnRenderer: { defaultFillColor: token('raised'), defaultStrokeColor: token('text-2'), defaultLabelColor: token('text') },
    textRenderer: { defaultStyle: { fontFamily: token('font') || 'sans-serif', fontSize: 12 }, externalStyle: { fontSize: 12 } },
  }
}

export const canvasOf = (viewer: BaseViewer): Canvas => viewer.get<Canvas>('canvas')
export const registryOf = (viewer: BaseViewer): Registry => viewer.get<Registry>('elementRegistry')
export const busOf = (viewer: BaseViewer): EventBus => viewer.get<EventBus>('eventBus')

/** Show all of it. */
export function fit(viewer: BaseViewer): void {
  const canvas = canvasOf(viewer)
  canvas.zoom('fit-viewport', 'auto')
  if (canvas.zoom() > 1.2) canvas.zoom(1, 'auto')
}

const MARKS: readonly MarkState[] = ['done', 'now', 'wait', 'late', 'failed', 'fault', 'hint']

/** Put marks on elements in place of those before; a note stands beside its element. */
export function mark(viewer: BaseViewer, marks: readonly Mark[]): void {
  const canvas = canvasOf(viewer)
  const registry = registryOf(viewer)
  const overlays = viewer.get<Overlays>('overlays')
  for (const shape of registry.getAll()) for (const state of MARKS) canvas.removeMarker(shape.id, `mark-${state}`)
  overlays.remove({ type: 'note' })
  for (const one of marks) {
    if (!registry.get(one.element)) continue
    canvas.addMarker(one.element, `mark-${one.state}`)
    if (!one.note) continue
    const html = document.createElement('span')
    html.className = `badge ${one.state}`
    html.textContent = one.note
    overlays.add(one.element, 'note', { position: { top: -10, left: 4 }, html, scale: false })
  }
}

/** Outline one element and bring it into view. */
export function choose(viewer: BaseViewer, id: string | null, before: string | null): void {
  const registry = registryOf(viewer)
  const canvas = canvasOf(viewer)
  if (before && registry.get(before)) canvas.removeMarker(before, 'mark-chosen')
  if (!id || !registry.get(id)) return
  canvas.addMarker(id, 'mark-chosen')
  canvas.scrollToElement(id, 80)
}
