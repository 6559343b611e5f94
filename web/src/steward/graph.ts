/** Lineage laid out from left to right: layers, boxes, and edges as curves. */
import { Graph, layout } from '@dagrejs/dagre'

import type { Edge, Lineage, Node } from './types'

export const BOX = { width: 188, height: 44 }

export interface Placed extends Node {
  x: number
  y: number
  layer: number
}

export interface Line extends Edge {
  path: string
}

export interface Drawing {
  nodes: Placed[]
  edges: Line[]
  width: number
  height: number
}

export function drawn(lineage: Pick<Lineage, 'nodes' | 'edges'>): Drawing {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 64, marginx: 16, marginy: 16 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of lineage.nodes) graph.setNode(node.id, { ...BOX })
  const known = new Set(lineage.nodes.map((node) => node.id))
  const edges = lineage.edges.filter((edge) => known.has(edge.source) && known.has(edge.target) && edge.source !== edge.target)
  for (const edge of edges) graph.setEdge(edge.source, edge.target)
  if (lineage.nodes.length) layout(graph)
  const columns = [...new Set(lineage.nodes.map((node) => Math.round(graph.node(node.id).x ?? 0)))].sort((a, b) => a - b)
  const nodes = lineage.nodes.map((node) => {
    const { x = 0, y = 0 } = graph.node(node.id)
    return { ...node, x: x - BOX.width / 2, y: y - BOX.height / 2, layer: columns.indexOf(Math.round(x)) }
  })
  const { width = 0, height = 0 } = graph.graph()
  return { nodes, edges: edges.map((edge) => ({ ...edge, path: curve(graph.edge(edge.source, edge.target).points ?? []) })), width, height }
}

/** A smooth line through the bends of an edge. */
export function curve(points: readonly { x: number; y: number }[]): string {
  const [first, ...others] = points
  if (!first) return ''
  let path = `M${first.x.toFixed(1)} ${first.y.toFixed(1)}`
  let last = first
  for (const point of others) {
    const middle = (last.x + point.x) / 2
    path += ` C${middle.toFixed(1)} ${last.y.toFixed(1)} ${middle.toFixed(1)} ${point.y.toFixed(1)} ${point.x.toFixed(1)} ${point.y.toFixed(1)}`
    last = point
  }
  return path
}

/** Where the arrow keys lead from a node: along an edge, or to the neighbour in its layer. */
export function neighbour(drawing: Drawing, id: string, key: string): string | null {
  const here = drawing.nodes.find((node) => node.id === id)
  if (!here) return null
  const nearest = (all: Placed[]): string | null => [...all].sort((a, b) => Math.abs(a.y - here.y) - Math.abs(b.y - here.y))[0]?.id ?? null
  const of = (ids: string[]): Placed[] => drawing.nodes.filter((node) => ids.includes(node.id))
  if (key === 'ArrowRight') return nearest(of(drawing.edges.filter((edge) => edge.source === id).map((edge) => edge.target)))
  if (key === 'ArrowLeft') return nearest(of(drawing.edges.filter((edge) => edge.target === id).map((edge) => edge.source)))
  const column = drawing.nodes.filter((node) => node.layer === here.layer).sort((a, b) => a.y - b.y)
  const at = column.findIndex((node) => node.id === id) + (key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0)
  return column[at]?.id ?? null
}

/** Everything that leads to a node or comes from it. */
export function reach(edges: readonly Edge[], id: string): Set<string> {
  const found = new Set([id])
  for (const [from, to] of [['source', 'target'], ['target', 'source']] as const) {
    const waiting = [id]
    const seen = new Set([id])
    while (waiting.length) {
      const at = waiting.pop() as string
      for (const edge of edges) if (edge[from] === at && !seen.has(edge[to])) (seen.add(edge[to]), waiting.push(edge[to]))
    }
    seen.forEach((one) => found.add(one))
  }
  return found
}
