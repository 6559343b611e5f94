/**
 * Clusters for the screen as it is: near points become one circle with a count, and circles step aside for
 * warning pins and for each other, so that nothing on the map hides anything else.
 */
export interface Dot {
  x: number
  y: number
  overdue: boolean
}

export interface Cluster {
  x: number
  y: number
  r: number
  count: number
  overdue: number
  /** Indexes of the dots inside. */
  members: number[]
}

/** Radius on screen in pixels: grows with the logarithm of the count. */
export function radius(count: number): number {
  return count === 1 ? 5 : Math.min(24, Math.round(10 + 3.2 * Math.log2(count) * 0.75))
}

/** Gather dots that lie within `reach` pixels, densest places first. */
export function gather(dots: readonly Dot[], reach = 68): Cluster[] {
  const bins = new Map<string, number[]>()
  dots.forEach((dot, i) => {
    const key = `${Math.floor(dot.x / reach)}:${Math.floor(dot.y / reach)}`
    const bin = bins.get(key)
    if (bin) bin.push(i)
    else bins.set(key, [i])
  })
  const made = [...bins.values()].map((members) => fromMembers(dots, members))
  made.sort((a, b) => b.count - a.count)
  const kept: Cluster[] = []
  for (const one of made) {
    const near = kept.find((k) => Math.hypot(k.x - one.x, k.y - one.y) < reach * 0.75)
    if (near) Object.assign(near, fromMembers(dots, [...near.members, ...one.members]))
    else kept.push(one)
  }
  return kept
}

function fromMembers(dots: readonly Dot[], members: number[]): Cluster {
  let x = 0
  let y = 0
  let overdue = 0
  for (const i of members) {
    const dot = dots[i] as Dot
    x += dot.x
    y += dot.y
    if (dot.overdue) overdue += 1
  }
  const count = members.length
  return { x: x / count, y: y / count, r: radius(count), count, overdue, members }
}

export interface Obstacle {
  x: number
  y: number
  r: number
  /** Half the length of a lying capsule, such as a name; 0 for a circle. */
  half?: number
}

/** Push circles off the obstacles and off each other; at most `limit` pixels away from where they belong. */
export function stepAside(clusters: Cluster[], obstacles: readonly Obstacle[], limit = 60): void {
  const homes = clusters.map(({ x, y }) => ({ x, y }))
  for (let round = 0; round < 24; round++) {
    let moved = false
    clusters.forEach((one, i) => {
      for (const other of [...obstacles, ...clusters.slice(0, i)]) {
        if (push(one, other)) moved = true
      }
      const home = homes[i] as { x: number; y: number }
      const away = Math.hypot(one.x - home.x, one.y - home.y)
      if (away > limit) {
        one.x = home.x + ((one.x - home.x) * limit) / away
        one.y = home.y + ((one.y - home.y) * limit) / away
      }
    })
    if (!moved) return
  }
}

function push(one: Cluster, other: Obstacle): boolean {
  const half = other.half ?? 0
  const ox = Math.min(Math.max(one.x, other.x - half), other.x + half)
  const dx = one.x - ox
  const dy = one.y - other.y
  const gap = one.r + other.r + 3
  const distance = Math.hypot(dx, dy)
  if (distance >= gap) return false
  // Exactly on top of it: go down, pins stand upwards.
  const [ux, uy] = distance < 0.5 ? [0, 1] : [dx / distance, dy / distance]
  one.x = ox + ux * gap
  one.y = other.y + uy * gap
  return true
}

export interface Label {
  x: number
  y: number
  half: number
}

const LABEL_R = 9
const PLACES = [
  [0, 0],
  [0, 26],
  [0, -26],
  [44, 0],
  [-44, 0],
  [40, 26],
  [-40, 26],
] as const

/** A place for each name: at home, else the nearest spot where neither a pin nor another name lies, else none. */
export function placeLabels(
  labels: readonly Label[],
  pins: readonly Obstacle[],
  width = Infinity,
): (Required<Obstacle> & { index: number })[] {
  const placed: (Required<Obstacle> & { index: number })[] = []
  labels.forEach((label, index) => {
    const spots = PLACES.map(([dx, dy]) => ({ x: label.x + dx, y: label.y + dy, r: LABEL_R, half: label.half }))
    const whole = spots.filter((spot) => spot.x - spot.half - LABEL_R >= 0 && spot.x + spot.half + LABEL_R <= width)
    const free = whole.find((spot) => ![...pins, ...placed].some((other) => touch(spot, other)))
    if (free) placed.push({ ...free, index })
  })
  return placed
}

function touch(a: Required<Obstacle>, b: Obstacle): boolean {
  const gapX = Math.max(0, Math.abs(a.x - b.x) - a.half - (b.half ?? 0))
  return Math.hypot(gapX, a.y - b.y) < a.r + b.r + 2
}

/** Pins that would cover each other become one: the first (gravest) stays, with the number it stands for. */
export function stack<T extends { x: number; y: number }>(pins: readonly T[], reach = 22): { pin: T; all: T[] }[] {
  const stacks: { pin: T; all: T[] }[] = []
  for (const pin of pins) {
    const home = stacks.find((s) => Math.abs(s.pin.x - pin.x) < reach && Math.abs(s.pin.y - pin.y) < reach)
    if (home) home.all.push(pin)
    else stacks.push({ pin, all: [pin] })
  }
  return stacks
}
