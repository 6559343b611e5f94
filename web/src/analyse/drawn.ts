/** Any answer of the model in the chart that was chosen for it: pure, from columns and rows to an ECharts option. */
import type { EChartsCoreOption } from 'echarts/core'

import type { QueryResult, Title } from '../api/types'
import { categoryAxis, frame, legend, valueAxis } from '../shared/chart'
import { token } from '../theme/theme'
import type { Chart } from './explore'

type Column = QueryResult['columns'][number]
export type Say = (title: Title | null | undefined) => string
export type Clock = (instant: string) => string
export interface Speech {
  say: Say
  clock: Clock
}

/** Apart for eyes that see fewer colours; lines differ in their dashes and marks too. */
const COLOURS = ['#3b8fd0', '#e69f00', '#1fa37f', '#cc79a7', '#7fc4ee', '#d5662a', '#b5a642', '#9a9a9a']
const DASHES = ['solid', 'dashed', 'dotted'] as const
const MARKS = ['circle', 'rect', 'triangle', 'diamond'] as const

/** A figure as its format wants it drawn: shares in per cent, spans in hours. */
export function scaled(value: unknown, format: string): number | null {
  if (typeof value !== 'number') return null
  if (format === 'percent') return value * 100
  return format === 'duration' ? value / 3600 : value
}

export function unitOf(column: Column): string {
  if (column.format === 'percent') return '%'
  return column.format === 'duration' ? 'h' : column.unit
}

/** A value of a row for people. */
export function shown(value: unknown, column: Column, result: QueryResult, { say, clock }: Speech): string | number | null {
  if (value === null || value === undefined) return null
  if (column.role === 'time') return clock(String(value))
  if (column.role === 'dimension') return say(result.labels[column.id]?.[String(value)]) || String(value)
  const number = scaled(value, column.format)
  return number === null ? String(value) : Number(number.toFixed(column.format === 'integer' ? 0 : 2))
}

export function headOf(result: QueryResult, { say }: Speech): string[] {
  return result.columns.map((column) => (unitOf(column) ? `${say(column.title)} (${unitOf(column)})` : say(column.title)))
}

export function bodyOf(result: QueryResult, speech: Speech): (string | number | null)[][] {
  return result.rows.map((row) => result.columns.map((column, i) => shown(row[i], column, result, speech)))
}

interface Grid {
  x: string[]
  raw: unknown[]
  series: { name: string; column: Column; data: (number | null)[] }[]
}

/** Rows as lines of numbers over the values of x: one for each figure, or for each value of the splitting column. */
export function grid(result: QueryResult, chart: Chart, speech: Speech): Grid {
  const at = (id: string | null | undefined): number => result.columns.findIndex((column) => column.id === id)
  const xAt = at(chart.x)
  const sAt = at(chart.series)
  const raw = [...new Set(result.rows.map((row) => row[xAt]))]
  const splits = sAt < 0 ? [null] : [...new Set(result.rows.map((row) => row[sAt]))]
  const series = splits.flatMap((split) =>
    chart.y.map((id) => {
      const figure = at(id)
      const column = result.columns[figure] as Column
      const found = new Map(result.rows.filter((row) => sAt < 0 || row[sAt] === split).map((row) => [row[xAt], scaled(row[figure], column.format)]))
      const name = sAt < 0 ? speech.say(column.title) : String(shown(split, result.columns[sAt] as Column, result, speech) ?? '—')
      return { name, column, data: raw.map((value) => found.get(value) ?? null) }
    }),
  )
  const named = result.columns[xAt]
  return { x: raw.map((value) => String(named ? (shown(value, named, result, speech) ?? '—') : '')), raw, series }
}

/** Two cuts of one figure as a table with a row for each value of the first and a column for each of the second. */
export function pivoted(result: QueryResult, chart: Chart, speech: Speech): { head: string[]; body: (string | number | null)[][] } {
  if (!chart.series || chart.y.length !== 1) return { head: headOf(result, speech), body: bodyOf(result, speech) }
  const made = grid(result, chart, speech)
  const first = result.columns.find((column) => column.id === chart.x)
  const round = (value: number | null | undefined): number | null => (value == null ? null : Number(value.toFixed(2)))
  return {
    head: [speech.say(first?.title), ...made.series.map((one) => one.name)],
    body: made.x.map((name, i) => [name, ...made.series.map((one) => round(one.data[i]))]),
  }
}

/** The option of a chart; `table` and `figure` are no canvas and give null. */
export function optionOf(result: QueryResult, chart: Chart, speech: Speech, map = ''): EChartsCoreOption | null {
  if (chart.kind === 'table' || chart.kind === 'figure' || !result.rows.length) return null
  const made = grid(result, chart, speech)
  if (chart.kind === 'heat') return heat(made)
  if (chart.kind === 'map') return onMap(made, map)
  return axes(made, chart)
}

function axes(made: Grid, chart: Chart): EChartsCoreOption {
  const column = made.series[0]?.column
  const value = { ...valueAxis(column ? unitOf(column) : ''), min: chart.zero ? undefined : 'dataMin', scale: !chart.zero, minInterval: column?.format === 'integer' ? 1 : undefined }
  const names = chart.horizontal ? [...made.x].reverse() : made.x
  const category = { ...categoryAxis(names), ...(chart.horizontal ? { axisLabel: { color: token('text-2'), width: 150, overflow: 'truncate', interval: 0 } } : {}) }
  const line = chart.kind === 'line'
  const many = made.series.length > 1
  return {
    ...frame(),
    color: COLOURS,
    grid: { left: 8, right: 24, top: many ? 34 : 26, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    ...(many ? { legend: { ...legend(), type: 'scroll', left: 0 } } : {}),
    xAxis: chart.horizontal ? value : category,
    yAxis: chart.horizontal ? category : value,
    series: made.series.map((one, i) => ({
      name: one.name,
      type: line ? 'line' : 'bar',
      stack: chart.kind === 'stacked' ? 'all' : undefined,
      barMaxWidth: 28,
      barCategoryGap: chart.kind === 'distribution' ? '4%' : undefined,
      symbol: MARKS[i % MARKS.length],
      symbolSize: 5,
      showSymbol: made.x.length < 60,
      lineStyle: { width: 2, type: DASHES[Math.floor(i / MARKS.length) % DASHES.length] },
      data: chart.horizontal ? [...one.data].reverse() : one.data,
    })),
  }
}

function heat(made: Grid): EChartsCoreOption {
  const cells = made.series.flatMap((one, y) => one.data.flatMap((value, x) => (value === null ? [] : [[x, y, Number(value.toFixed(2))]])))
  return {
    ...frame(),
    tooltip: { ...(frame().tooltip as object), trigger: 'item' },
    grid: { left: 8, right: 16, top: 8, bottom: 40, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: categoryAxis(made.x),
    yAxis: categoryAxis(made.series.map((one) => one.name)),
    visualMap: scale(cells.map((cell) => cell[2] as number)),
    series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: token('panel'), borderWidth: 1 } }],
  }
}

function onMap(made: Grid, map: string): EChartsCoreOption {
  const values = made.series[0]?.data ?? []
  return {
    ...frame(),
    tooltip: { ...(frame().tooltip as object), trigger: 'item' },
    visualMap: scale(values.filter((value) => value !== null)),
    series: [
      {
        type: 'map',
        map,
        nameProperty: 'code',
        roam: false,
        itemStyle: { areaColor: token('raised'), borderColor: token('line-strong') },
        select: { disabled: true },
        data: made.raw.map((code, i) => ({ name: String(code), value: values[i], title: made.x[i] })),
      },
    ],
  }
}

/** Light to dark violet: heat is no warning. */
function scale(values: readonly number[]): Record<string, unknown> {
  return {
    min: Math.min(0, ...values),
    max: Math.max(0, ...values) || 1,
    orient: 'horizontal',
    left: 0,
    bottom: 0,
    itemHeight: 120,
    itemWidth: 10,
    textStyle: { color: token('text-2') },
    inRange: { color: ['#efe9f7', '#b9a3dc', '#7b5bb5', '#47278a'] },
  }
}
