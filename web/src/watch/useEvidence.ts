/** A warning's evidence as it is drawn and listed: the window, what came before and after, and every change of level. */
import { computed, watch } from 'vue'

import { api, ask } from '../api/client'
import type { WarningDetail } from '../api/types'
import { useCity } from '../city/city'
import { NUMERAL } from '../shared/levels'
import { useLoad } from '../shared/useLoad'
import { changesOf, comparable, evidenceLine, observed, type Point, shownSpan } from './evidence'

export function useEvidence(warning: () => WarningDetail) {
  const city = useCity()
  const line = computed(() => evidenceLine(warning().evidence))

  /** What the entity measured around the window; areas and feeds have no such history, and need none. */
  const around = useLoad<Point[]>(async () => {
    const { entity, property, evidence } = warning()
    if (!property || !observed(evidence.aggregate) || city.areaTitles.has(entity)) return []
    const span = shownSpan(warning(), city.now)
    const query = { property, start: new Date(span.from).toISOString(), end: new Date(span.to).toISOString() }
    const answer = await ask(api.GET('/api/v1/entities/{entity}/history', { params: { path: { entity }, query } }))
    return answer.points.flatMap(([at, value]): Point[] => (typeof value === 'number' ? [[Date.parse(String(at)), value]] : []))
  })
  watch(() => [warning().id, warning().updated_at], around.run, { immediate: true })

  const values = computed(() => (around.problem.value ? [] : (around.data.value ?? [])))
  const marks = computed(() => (comparable(warning().evidence.aggregate) ? changesOf(warning()).map((step) => ({ ...step, text: step.level ? NUMERAL[step.level] : '○' })) : []))
  /** What a model foretold, from the newest record to the instant spoken of. */
  const foretold = computed(() => {
    const { model } = warning().evidence
    if (model?.kind !== 'forecast') return null
    const [origin, at] = [Date.parse(model.origin), Date.parse(model.at)]
    const start = line.value.at(-1)?.[1] ?? model.value
    const { low, high } = model
    const between: [number, number, number][] = low === null || high === null ? [] : [[origin, start, start], [at, low, high]]
    return { points: [[origin, start], [at, model.value]] as Point[], between }
  })
  return { line, values, marks, foretold }
}
