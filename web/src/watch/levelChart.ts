/** Values against the levels of a rule, as an option of the chart: bands with numerals, the window, episodes, what happened. */
import type { EChartsCoreOption } from 'echarts/core'

import type { Level } from '../api/types'
import { frame, legend, valueAxis } from '../shared/chart'
import { LEVELS, NUMERAL } from '../shared/levels'
import { token } from '../theme/theme'
import { axisRange, labelled, type Point } from './evidence'

export interface Line {
  name: string
  points: readonly Point[]
  /** Drawn before the others in weight: what was judged. */
  main?: boolean
  step?: boolean
  dashed?: boolean
}
export interface Stretch {
  from: number
  to: number
  level?: Level
}
export interface Mark {
  at: number
  value: number
  /** What stands beside it: a numeral, or a word. */
  text: string
  level: Level | null
}
export interface Picture {
  lines: readonly Line[]
  limits: Partial<Record<Level, number>>
  direction: 'above' | 'below'
  margin: number
  stretches: readonly Stretch[]
  marks: readonly Mark[]
  /** Lower and upper bounds, shaded between. */
  between?: { name: string; points: readonly [at: number, low: number, high: number][] }
  words: { marks: string; clear: string }
  clock: (at: number) => string
}

/** The levels that have a threshold, from the least to the gravest, each with the reach of its band. */
export function bands(limits: Picture['limits']): { level: Level; from: number; to: number | null }[] {
  const ladder = [...LEVELS].reverse().flatMap((level) => (limits[level] === undefined ? [] : [{ level, limit: limits[level] }]))
  return ladder.map(({ level, limit }, i) => ({ level, from: limit, to: ladder[i + 1]?.limit ?? null }))
}

/** The value behind which the lowest level is left, where it is not its threshold itself. */
export function wayBack(wanted: Pick<Picture, 'limits' | 'direction' | 'margin'>): number | null {
  const first = bands(wanted.limits)[0]
  return first && wanted.margin ? first.from - wanted.margin * (wanted.direction === 'above' ? 1 : -1) : null
}

/** The dash of each level's line: told apart without its colour. */
const DASH: Record<Level, number[] | 'solid'> = { blue: [2, 3], yellow: [5, 3], orange: [9, 3], red: 'solid' }

function limitLines(picture: Picture, named: ReadonlySet<number>): object[] {
  const lines = bands(picture.limits).map(({ level, from }) => ({
    yAxis: from,
    lineStyle: { color: token(`${level}-text`), type: DASH[level], width: 1 },
    label: { show: named.has(from), formatter: `${NUMERAL[level]} ${from}`, color: token(`${level}-text`) },
  }))
  const back = wayBack(picture)
  if (back === null) return lines
  return [...lines, { yAxis: back, lineStyle: { color: token('ok'), type: [1, 3], width: 1 }, label: { show: named.has(back), formatter: picture.words.clear, position: 'insideStartBottom', color: token('ok') } }]
}

function shades(picture: Picture, range: { min: number; max: number }): object[] {
  const edge = picture.direction === 'above' ? range.max : range.min
  const levels = bands(picture.limits).map(({ level, from, to }) => [{ yAxis: from, itemStyle: { color: token(level), opacity: 0.07 } }, { yAxis: to ?? edge }])
  const times = picture.stretches.map(({ from, to, level }) => [{ xAxis: from, itemStyle: { color: token(level ?? 'accent'), opacity: level ? 0.2 : 0.12 } }, { xAxis: to }])
  return [...levels, ...times]
}

function lineSeries(line: Line, extra: object): object {
  return {
    type: 'line',
    name: line.name,
    data: line.points,
    step: line.step ? 'end' : false,
    showSymbol: !!line.main && line.points.length < 120,
    symbol: 'circle',
    symbolSize: 5,
    lineStyle: { color: token(line.main ? 'accent' : 'text-3'), width: line.main ? 1.75 : 1.25, type: line.dashed ? 'dashed' : 'solid' },
    itemStyle: { color: token(line.main ? 'accent' : 'text-3') },
    ...extra,
  }
}

function markSeries(picture: Picture): object {
  return {
    type: 'line',
    name: picture.words.marks,
    data: picture.marks.map((mark) => ({
      value: [mark.at, mark.value],
      itemStyle: { color: token(mark.level ?? 'ok'), borderColor: token('panel'), borderWidth: 1 },
      label: { show: true, formatter: mark.text, position: 'top', color: token('text'), fontWeight: 600 },
    })),
    symbol: 'diamond',
    symbolSize: 11,
    lineStyle: { width: 0, opacity: 0 },
    itemStyle: { color: token('text-2') },
    z: 5,
  }
}

/** Two stacked lines: the lower one unseen, the difference shaded. */
function intervalSeries(between: NonNullable<Picture['between']>): object[] {
  const common = { type: 'line', stack: 'interval', stackStrategy: 'all', showSymbol: false, lineStyle: { width: 0 }, itemStyle: { color: token('accent') } }
  return [
    { ...common, name: `${between.name} ↓`, data: between.points.map(([at, low]) => [at, low]), tooltip: { show: false } },
    { ...common, name: between.name, data: between.points.map(([at, low, high]) => [at, high - low]), areaStyle: { color: token('accent'), opacity: 0.16 }, tooltip: { show: false } },
  ]
}

/** The stretch of time that is drawn: all that is shown and judged; a single moment alone would have no axis. */
export function timeRange(wanted: Pick<Picture, 'lines' | 'marks' | 'stretches'>): { min?: number; max?: number } {
  const times = [...wanted.lines.flatMap((line) => line.points.map(([at]) => at)), ...wanted.marks.map((mark) => mark.at), ...wanted.stretches.flatMap(({ from, to }) => [from, to])]
  return times.length ? { min: Math.min(...times), max: Math.max(...times) } : {}
}

export function picture(wanted: Picture): EChartsCoreOption {
  const limits = bands(wanted.limits).map((band) => band.from)
  const values = [...wanted.lines.flatMap((line) => line.points.map(([, value]) => value)), ...wanted.marks.map((mark) => mark.value), ...(wanted.between?.points.flatMap(([, low, high]) => [low, high]) ?? [])]
  const range = values.length ? axisRange(values, limits) : { min: 0, max: 1 }
  const back = wayBack(wanted)
  const named = labelled(back === null ? limits : [...limits, back], range)
  const guides = {
    markLine: { symbol: 'none', silent: true, data: limitLines(wanted, named) },
    markArea: { silent: true, data: shades(wanted, range) },
  }
  const names = [...wanted.lines.filter((line) => line.points.length).map((line) => line.name), ...(wanted.between ? [wanted.between.name] : []), ...(wanted.marks.length ? [wanted.words.marks] : [])]
  return {
    ...frame(),
    grid: { left: 4, right: 48, top: 30, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    legend: { ...legend(), data: names },
    xAxis: {
      type: 'time',
      ...timeRange(wanted),
      axisLabel: { color: token('text-3'), hideOverlap: true, formatter: wanted.clock },
      axisLine: { lineStyle: { color: token('line-strong') } },
      axisTick: { show: false },
      splitNumber: 5,
    },
    yAxis: { ...valueAxis(), ...range, minInterval: 0 },
    series: [
      ...(wanted.between ? intervalSeries(wanted.between) : []),
      ...wanted.lines.map((line, i) => lineSeries(line, i === 0 ? guides : {})),
      ...(wanted.marks.length ? [markSeries(wanted)] : []),
    ],
  }
}
