import type { Same } from '../i18n/same'
import type { zh } from './i18n.zh-CN'

export const en: Same<typeof zh> = {
  metric: {
    versus: 'against the period before',
    noPrevious: 'nothing to compare with',
    openCases: 'Open cases',
  },
  board: {
    title: 'Metrics',
    period: { today: 'Today', week: '7 days', month: '30 days', all: 'All', label: 'Period' },
    compare: 'Compare with the period before',
    flow: 'Opened and closed',
    flowNote: 'cases per {grain}',
    grain: { hour: 'hour', day: 'day', week: 'week', month: 'month' },
    onTime: 'On-time rate by department',
    onTimeNote: 'rate · cases closed; — where none was closed',
    median: 'Median handling time by class',
    medianNote: 'hours · cases closed',
    warnings: 'Warnings by level',
    warningsNote: 'per {grain}',
    table: 'Table',
    chart: 'Chart',
    download: 'Download CSV',
    freshness: 'data up to {at}',
    scope: 'Within what your post may see',
    empty: 'No data in this period',
    toList: 'Open the list',
    time: 'Time',
    count: 'cases',
  },
}
