/** The four rooms that have a screen, in the order of the bar. */
export const PLACES = [
  { name: 'map', to: '/', word: 'nav.map', belongs: ['map'] },
  { name: 'warnings', to: '/warnings', word: 'nav.warnings', belongs: ['warnings', 'warning'] },
  { name: 'cases', to: '/cases', word: 'nav.cases', belongs: ['cases', 'case', 'report'] },
  { name: 'board', to: '/board', word: 'nav.board', belongs: ['board'] },
] as const
