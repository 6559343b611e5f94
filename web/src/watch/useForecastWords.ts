/** What forecasts are told in: horizons, who serves, errors, shares. */
import { useWords } from '../i18n'
import { rounded } from '../shared/unit'
import { type Model, type Score, servedError } from './forecasts'
import { useRuleWords } from './useRuleWords'

export function useForecastWords() {
  const { t, listed } = useWords()
  const { lasting, load } = useRuleWords()

  const horizons = (model: Pick<Model, 'horizon_seconds'>): string => model.horizon_seconds.map(lasting).join(' / ')
  /** Who serves, each once, in the order of the horizons. */
  const served = (model: Pick<Model, 'scores'>): string => listed([...new Set((model.scores ?? []).map((score) => t(`forecasts.servers.${score.server}`)))])
  const figure = (value: number | null | undefined): string => (value === null || value === undefined ? '—' : rounded(value))
  const error = (score: Score): string => figure(servedError(score))
  const percent = (value: number | null | undefined): string => (value === null || value === undefined ? '—' : `${(value * 100).toFixed(0)}%`)
  return { lasting, horizons, served, figure, error, percent, load }
}
