/** Where the states of a workflow stand in its picture, and how the ways between them run. Columns are stages. */
import type { Schemas } from '../api/types'

export type Picture = Schemas['ProcessPicture']
type State = Picture['states'][number]
type Way = Picture['ways'][number]

export interface Box {
  state: State
  x: number
  y: number
}

export interface Line {
  way: Way
  path: string
  kind: 'taken' | 'ahead' | 'other'
}

export const BOX = { width: 112, height: 30 }
const GAP = { x: 46, y: 16 }
const MARGIN = { x: 8, y: 34 }

export interface Layout {
  boxes: Box[]
  lines: Line[]
  stages: { stage: number; x: number }[]
  width: number
  height: number
}

/** A state without any way to or from it (a draft that never was) is not drawn. */
function drawn(picture: Picture): State[] {
  const ends = new Set(picture.ways.flatMap((way) => (way.taken || reachable(picture, way) ? [way.origin, way.to] : [])))
  return picture.states.filter((state) => state.visits > 0 || state.id === picture.state || ends.has(state.id))
}

/** The birth of a case is no way that it can go again. */
function reachable(picture: Picture, way: Way): boolean {
  return picture.ways.some((other) => other.to === way.origin) || way.origin === picture.state
}

export function layout(picture: Picture): Layout {
  const states = drawn(picture)
  const used = [...new Set(states.map((state) => state.stage))].sort((a, b) => a - b)
  const left = (stage: number): number => MARGIN.x + used.indexOf(stage) * (BOX.width + GAP.x)
  const boxes = used.flatMap((stage) => states.filter((state) => state.stage === stage).map((state, row) => ({ state, x: left(stage), y: MARGIN.y + row * (BOX.height + GAP.y) })))
  const at = new Map(boxes.map((box) => [box.state.id, box]))
  const lines = picture.ways.flatMap((way) => {
    const [from, to] = [at.get(way.origin), at.get(way.to)]
    return from && to ? [{ way, path: path(from, to), kind: way.taken ? ('taken' as const) : way.ahead ? ('ahead' as const) : ('other' as const) }] : []
  })
  const rank = { other: 0, ahead: 1, taken: 2 }
  lines.sort((a, b) => rank[a.kind] - rank[b.kind])
  const rows = Math.max(1, ...used.map((stage) => states.filter((state) => state.stage === stage).length))
  return {
    boxes,
    lines,
    stages: used.map((stage) => ({ stage, x: left(stage) })),
    width: 2 * MARGIN.x + used.length * (BOX.width + GAP.x),
    height: MARGIN.y + rows * (BOX.height + GAP.y),
  }
}

/** Forward from side to side; within a column around the right; back around from left to right. */
function path(from: Box, to: Box): string {
  const [y1, y2] = [from.y + BOX.height / 2, to.y + BOX.height / 2]
  const right = from.x + BOX.width
  if (from.x === to.x) {
    const bend = right + 10 + Math.min(18, Math.abs(y2 - y1) / 8)
    return `M${right},${y1 + 4} C${bend},${y1 + 4} ${bend},${y2 - 4} ${right},${y2 - 4}`
  }
  if (from.x < to.x) {
    const half = Math.max(20, (to.x - right) / 2)
    return `M${right},${y1} C${right + half},${y1} ${to.x - half},${y2} ${to.x},${y2}`
  }
  const end = to.x + BOX.width
  const half = Math.max(20, (from.x - end) / 2)
  return `M${from.x},${y1 + 6} C${from.x - half},${y1 + 6} ${end + half},${y2 + 6} ${end},${y2 + 6}`
}
