import type { Same } from '../i18n/same'
import type { zh } from './i18n.zh-CN'

export const en: Same<typeof zh> = {
  product: 'City Operations',
  nav: { label: 'Main', map: 'Map', warnings: 'Warnings', cases: 'Cases', board: 'Metrics', data: 'Data' },
  theme: { toDark: 'Dark theme', toLight: 'Light theme' },
  language: { switch: '中文', label: 'Change language' },
  skip: 'Skip to content',
  live: {
    live: 'Live',
    connecting: 'Connecting',
    lost: 'Connection lost, trying again',
    delay: 'delay {seconds} s',
    feeds: 'feeds {fresh}/{total}',
    delayNote: '{real} s of real time, {city} s of city time',
    feedsNote: 'Feeds with fresh data / all feeds',
  },
  clock: {
    label: 'City time',
    paused: 'paused',
    speed: 'Speed',
    pause: 'Pause',
    times: '{n}×',
    note: 'Demo time: one real second is {n} city seconds',
    refused: 'Your post may not set the city clock',
  },
  data: {
    intake: 'Intake',
    rules: 'Standard',
    care: 'Quality',
    use: 'Catalogue',
    sources: 'Sources',
    mapping: 'Mapping',
    quarantine: 'Quarantine',
    standard: 'Standard',
    versions: 'Versions',
    scores: 'Scoreboard',
    inspections: 'Inspections',
    datasets: 'Datasets',
    lineage: 'Lineage',
    grants: 'Sharing',
  },
}
