/** Nodes by their distance from the asked one, against or along the edges. */
import type { Lineage, Node } from './types'

export function steps(lineage: Pick<Lineage, 'node' | 'nodes' | 'edges'>, direction: 'up' | 'down'): Node[][] {
  const known = new Map(lineage.nodes.map((node) => [node.id, node]))
  const [at, next] = direction === 'up' ? (['target', 'source'] as const) : (['source', 'target'] as const)
  const seen = new Set([lineage.node])
  const made: Node[][] = []
  let front = [lineage.node]
  while (front.length) {
    const ids = [...new Set(lineage.edges.filter((edge) => front.includes(edge[at])).map((edge) => edge[next]))].filter((id) => !seen.has(id))
    ids.forEach((id) => seen.add(id))
    const step = ids.map((id) => known.get(id)).filter((node): node is Node => node !== undefined)
    if (step.length) made.push(step)
    front = ids
  }
  return made
}
