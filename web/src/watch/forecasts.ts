/** Forecasts as their pages show them. */
import type { Schemas } from '../api/types'
import type { Point } from './evidence'

export type Model = Schemas['ForecastModel']
export type Score = Schemas['HorizonScore']
export type Outlook = Schemas['EntityOutlook']
export type Foretold = Schemas['EntityForecast']

/** Error of who serves a horizon. */
export function servedError(score: Score): number | null {
  return { model: score.model_mae, persistence: score.persistence_mae, seasonal: score.seasonal_mae }[score.server]
}

/** Lines and band of one entity: observed, foretold then, usual, and ahead from the newest value on. */
export function linesOf(found: Pick<Foretold, 'past' | 'outlook'>): { past: Point[]; then: Point[]; usual: Point[]; ahead: Point[]; between: [number, number, number][] } {
  const known = (points: readonly { at: string; value: number | null | undefined }[]): Point[] =>
    points.flatMap(({ at, value }): Point[] => (typeof value === 'number' ? [[Date.parse(at), value]] : []))
  const { points, origin, value } = found.outlook
  const start: Point[] = origin !== null && value !== null ? [[Date.parse(origin), value]] : []
  const before = found.past.flatMap(({ at, low, high }): [number, number, number][] => (typeof low === 'number' && typeof high === 'number' ? [[Date.parse(at), low, high]] : []))
  const after = points.map(({ at, low, high }): [number, number, number] => [Date.parse(at), low, high])
  return {
    past: known(found.past),
    then: known(found.past.map(({ at, forecast }) => ({ at, value: forecast }))),
    usual: known([...found.past, ...points].map(({ at, usual }) => ({ at, value: usual }))),
    ahead: points.length ? [...start, ...known(points)] : [],
    between: [...before, ...(points.length ? start.map(([at, one]): [number, number, number] => [at, one, one]) : []), ...after],
  }
}

export const STATE_TONE = { ready: 'good', untrained: 'wait' } as const
export const DRIFT_TONE = { steady: 'good', drifted: 'bad', unknown: 'off' } as const
