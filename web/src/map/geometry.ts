/** Small questions to GeoJSON shapes. */
type Ring = GeoJSON.Position[]

function polygons(geometry: GeoJSON.Geometry): Ring[][] {
  if (geometry.type === 'Polygon') return [geometry.coordinates]
  return geometry.type === 'MultiPolygon' ? geometry.coordinates : []
}

export type Box = [west: number, south: number, east: number, north: number]

export function boxOf(geometry: GeoJSON.Geometry): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
  for (const rings of polygons(geometry)) {
    for (const [x, y] of rings[0] ?? []) {
      box[0] = Math.min(box[0], x as number)
      box[1] = Math.min(box[1], y as number)
      box[2] = Math.max(box[2], x as number)
      box[3] = Math.max(box[3], y as number)
    }
  }
  return box
}

function inRing(x: number, y: number, ring: Ring): boolean {
  let inside = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i] as [number, number]
    const [xj, yj] = ring[j] as [number, number]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside
  }
  return inside
}

export function holds(geometry: GeoJSON.Geometry, lon: number, lat: number): boolean {
  return polygons(geometry).some(
    ([outer, ...holes]) => outer !== undefined && inRing(lon, lat, outer) && !holes.some((hole) => inRing(lon, lat, hole)),
  )
}

/** How many points lie in each cell, as a share of the busiest; cells without any are left out. */
export function shares(
  cells: GeoJSON.FeatureCollection,
  dots: readonly { lon: number; lat: number }[],
): { shares: Map<string, number>; most: number } {
  const boxes = cells.features.map((f) => ({ code: String(f.properties?.code), box: boxOf(f.geometry), geometry: f.geometry }))
  const counts = new Map<string, number>()
  for (const { lon, lat } of dots) {
    const cell = boxes.find(
      ({ box, geometry }) => lon >= box[0] && lon <= box[2] && lat >= box[1] && lat <= box[3] && holds(geometry, lon, lat),
    )
    if (cell) counts.set(cell.code, (counts.get(cell.code) ?? 0) + 1)
  }
  const most = Math.max(0, ...counts.values())
  return { shares: new Map([...counts].map(([code, n]) => [code, n / most])), most }
}
