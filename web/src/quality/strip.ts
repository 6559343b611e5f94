/** A heat strip: one row a dimension, one cell an hour; what is missing shows strongest. */
import { DIMENSIONS, type Dimension, type HourCell } from './types'

export interface StripCell {
  at: string
  share: number | null
  /** 0 whole … 5 nothing; -1 where nothing was due. */
  step: number
}

export interface StripRow {
  dimension: Dimension
  cells: StripCell[]
  /** The worst share of the row. */
  least: number | null
}

/** Loss in steps that the eye can tell apart: a little loss must not look like none. */
export function lossStep(share: number | null): number {
  if (share === null) return -1
  const loss = 1 - share
  if (loss <= 0.0005) return 0
  return loss < 0.02 ? 1 : loss < 0.1 ? 2 : loss < 0.3 ? 3 : loss < 0.7 ? 4 : 5
}

export function stripRows(cells: readonly HourCell[]): StripRow[] {
  return DIMENSIONS.map((dimension) => {
    const row = cells.map((cell) => ({ at: cell.at, share: cell[dimension], step: lossStep(cell[dimension]) }))
    const known = row.map((cell) => cell.share).filter((share): share is number => share !== null)
    return { dimension, cells: row, least: known.length ? Math.min(...known) : null }
  })
}

export function percent(share: number | null, digits = 1): string {
  return share === null ? '—' : `${(share * 100).toFixed(digits)}%`
}

export function scoreText(score: number | null): string {
  return score === null ? '—' : score.toFixed(1)
}
