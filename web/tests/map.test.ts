import { describe, expect, it } from 'vitest'

import { gather, placeLabels, radius, stack, stepAside } from '../src/map/cluster'
import { boxOf, holds, shares } from '../src/map/geometry'
import { cameraFrom, selectedFrom, selectedText } from '../src/map/selection'

const dot = (x: number, y: number, overdue = false) => ({ x, y, overdue })

describe('clusters', () => {
  it('gather what is near and keep apart what is far', () => {
    const clusters = gather([dot(10, 10), dot(12, 14, true), dot(400, 400)])
    expect(clusters.map((c) => [c.count, c.overdue])).toEqual([
      [2, 1],
      [1, 0],
    ])
  })

  it('lose no case, however many there are', () => {
    const dots = Array.from({ length: 5000 }, (_, i) => dot((i * 37) % 1200, (i * 91) % 900, i % 7 === 0))
    const clusters = gather(dots)
    expect(clusters.reduce((sum, c) => sum + c.count, 0)).toBe(5000)
    expect(new Set(clusters.flatMap((c) => c.members)).size).toBe(5000)
  })

  it('grow with their count, up to a limit', () => {
    expect(radius(1)).toBeLessThan(radius(2))
    expect(radius(5000)).toBe(24)
  })

  it('step aside for a warning pin, even one that stands exactly on them', () => {
    const clusters = gather([dot(100, 100), dot(100, 100)])
    const pin = { x: 100, y: 100, r: 14 }
    stepAside(clusters, [pin])
    const [one] = clusters
    expect(Math.hypot(one!.x - pin.x, one!.y - pin.y)).toBeGreaterThanOrEqual(14 + one!.r)
  })

  it('step aside for a name, which is a long obstacle', () => {
    const clusters = [{ ...gather([dot(130, 102)])[0]!, r: 10 }]
    stepAside(clusters, [{ x: 100, y: 100, r: 9, half: 40 }])
    expect(Math.abs(clusters[0]!.y - 100)).toBeGreaterThanOrEqual(19)
  })

  it('stay near where they belong', () => {
    const clusters = gather([dot(100, 100), dot(101, 101)])
    stepAside(clusters, Array.from({ length: 30 }, (_, i) => ({ x: 60 + i * 3, y: 100, r: 30 })), 40)
    expect(Math.hypot(clusters[0]!.x - 100.5, clusters[0]!.y - 100.5)).toBeLessThanOrEqual(41)
  })
})

describe('names on the map', () => {
  it('stay at home where nothing is in the way', () => {
    expect(placeLabels([{ x: 50, y: 50, half: 20 }], [])[0]).toMatchObject({ x: 50, y: 50 })
  })

  it('give way to pins and to each other', () => {
    const placed = placeLabels(
      [
        { x: 50, y: 50, half: 20 },
        { x: 52, y: 50, half: 20 },
      ],
      [{ x: 50, y: 50, r: 14 }],
    )
    expect(placed[0]).not.toMatchObject({ y: 50 })
    expect(placed[1]!.y).not.toBe(placed[0]!.y)
  })

  it('are left out rather than laid over a sign', () => {
    expect(placeLabels([{ x: 50, y: 50, half: 20 }], [{ x: 50, y: 50, r: 200 }])).toEqual([])
  })
})

describe('pins', () => {
  it('that would cover each other become one that knows the others', () => {
    const stacks = stack([
      { x: 0, y: 0, id: 'gravest' },
      { x: 5, y: 3, id: 'other' },
      { x: 80, y: 0, id: 'far' },
    ])
    expect(stacks.map((s) => [s.pin.id, s.all.length])).toEqual([
      ['gravest', 2],
      ['far', 1],
    ])
  })
})

describe('shapes', () => {
  const square: GeoJSON.Polygon = {
    type: 'Polygon',
    coordinates: [
      [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],
      [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]],
    ],
  }

  it('know their box, and what lies inside but not in a hole', () => {
    expect(boxOf(square)).toEqual([0, 0, 10, 10])
    expect(holds(square, 2, 2)).toBe(true)
    expect(holds(square, 5, 5)).toBe(false)
    expect(holds(square, 11, 5)).toBe(false)
  })

  it('are shaded by their share of the busiest', () => {
    const cell = (code: string, x: number): GeoJSON.Feature => ({
      type: 'Feature',
      properties: { code },
      geometry: { type: 'Polygon', coordinates: [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]] },
    })
    const dots = [0.2, 0.4, 1.5, 9].map((lon) => ({ lon, lat: 0.5 }))
    const { shares: found, most } = shares({ type: 'FeatureCollection', features: [cell('a', 0), cell('b', 1), cell('c', 2)] }, dots)
    expect(most).toBe(2)
    expect([...found]).toEqual([
      ['a', 1],
      ['b', 0.5],
    ])
  })
})

describe('the address of the map', () => {
  it('holds the selection', () => {
    expect(selectedFrom('w:wrn_1')).toEqual({ kind: 'warning', id: 'wrn_1' })
    expect(selectedText({ kind: 'case', id: 'c1' })).toBe('c:c1')
    for (const wrong of ['', 'w', 'w:', 'x:1', undefined, ['w:1']]) expect(selectedFrom(wrong)).toBeNull()
  })

  it('holds the view, or none when it is garbled', () => {
    expect(cameraFrom('114.05,22.54,11.5')).toEqual({ lon: 114.05, lat: 22.54, zoom: 11.5 })
    for (const wrong of ['114.05,22.54', 'a,b,c', undefined]) expect(cameraFrom(wrong)).toBeNull()
  })
})

describe('names at the edge', () => {
  it('move inwards rather than be cut off', () => {
    const [placed] = placeLabels([{ x: 10, y: 50, half: 20 }], [], 300)
    expect(placed!.x - placed!.half).toBeGreaterThanOrEqual(0)
  })
})
