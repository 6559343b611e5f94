/** What rules speak of, in words: entity types and their properties, rules, spans of seconds. */
import { computed } from 'vue'

import { api, ask } from '../api/client'
import { span } from '../city/time'
import { useWords } from '../i18n'
import { useLoad } from '../shared/useLoad'

export function useRuleWords() {
  const { t, t2, te } = useWords()
  const types = useLoad(() => ask(api.GET('/api/v1/entity-types')))
  const known = computed(() => new Map((types.data.value ?? []).map((one) => [one.id, one])))

  function typeTitle(id: string): string {
    const title = t2(known.value.get(id)?.title)
    return title || (te(`rules.types.${id}`) ? t(`rules.types.${id}`) : id)
  }

  function propertyTitle(type: string, property: string): string {
    return t2(known.value.get(type)?.properties.find((one) => one.id === property)?.title) || property
  }

  function lasting(seconds: number | null | undefined): string {
    if (seconds === null || seconds === undefined) return '—'
    const { unit, ...parts } = span(seconds)
    return t(`span.${unit}`, parts)
  }

  return { load: types.run, typeTitle, propertyTitle, lasting }
}
