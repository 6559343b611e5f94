/** The signs on the map, drawn once into bitmaps: pins with numeral, neutral case circles, a ring for the selection. */
import type { Level } from '../api/types'
import { LEVELS } from '../shared/levels'
import { token } from '../theme/theme'

const RATIO = 2
/** Latin letters stand for the Roman numerals: every font draws them equally wide. */
const STROKES: Record<Level, string> = { red: 'I', orange: 'II', yellow: 'III', blue: 'IV' }
export const SIZES = [10, 14, 18, 21, 24] as const

export interface Mark {
  name: string
  image: ImageData
  ratio: number
}

function draw(width: number, height: number, paint: (g: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement('canvas')
  canvas.width = width * RATIO
  canvas.height = height * RATIO
  const g = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  g.scale(RATIO, RATIO)
  paint(g)
  return g.getImageData(0, 0, canvas.width, canvas.height)
}

function pin(level: Level, selected: boolean): ImageData {
  const w = selected ? 36 : 28
  const h = selected ? 46 : 36
  const r = w / 2 - 3
  return draw(w, h, (g) => {
    g.beginPath()
    g.arc(w / 2, r + 3, r, Math.PI * 0.82, Math.PI * 0.18)
    g.quadraticCurveTo(w / 2 + r * 0.55, h - 12, w / 2, h - 2)
    g.quadraticCurveTo(w / 2 - r * 0.55, h - 12, w / 2 + r * Math.cos(Math.PI * 0.82), r + 3 + r * Math.sin(Math.PI * 0.82))
    g.closePath()
    g.lineWidth = selected ? 4 : 2.5
    g.lineJoin = 'round'
    g.strokeStyle = selected ? token('text') : token('bg')
    g.stroke()
    g.fillStyle = token(level)
    g.fill()
    g.fillStyle = token('level-ink')
    g.font = `700 ${selected ? 16 : 13}px "Noto Sans", "DejaVu Sans", sans-serif`
    g.textAlign = 'center'
    g.textBaseline = 'middle'
    g.fillText(STROKES[level], w / 2, r + 3.5)
  })
}

function circle(r: number, overdue: boolean): ImageData {
  const size = 2 * r + 6
  return draw(size, size, (g) => {
    g.beginPath()
    g.arc(size / 2, size / 2, r, 0, Math.PI * 2)
    g.fillStyle = token('panel')
    g.globalAlpha = 0.94
    g.fill()
    g.globalAlpha = 1
    g.lineWidth = r > 6 ? 2 : 1.75
    g.strokeStyle = token(overdue ? 'overdue' : 'case')
    g.stroke()
  })
}

/** All marks for the palette in force. */
export function marks(): Mark[] {
  const made: Mark[] = []
  const add = (name: string, image: ImageData): void => void made.push({ name, image, ratio: RATIO })
  for (const level of LEVELS) {
    add(`pin-${level}`, pin(level, false))
    add(`pin-${level}-selected`, pin(level, true))
  }
  for (const overdue of [false, true]) {
    const tail = overdue ? '-overdue' : ''
    add(`case${tail}`, circle(4.5, overdue))
    for (const r of SIZES) add(`cluster-${r}${tail}`, circle(r, overdue))
  }
  return made
}

/** The nearest bitmap for a radius. */
export function markSize(r: number): number {
  return SIZES.find((size) => size >= r) ?? 24
}
