/** What may be chosen for the keys of a rule that depend on the city, on its standard, and on the rule itself. */
import { computed } from 'vue'

import type { Rule } from '../api/types'
import { useCity } from '../city/city'
import { useWords } from '../i18n'
import { unitText } from '../shared/unit'
import type { Draft, Field, Language } from './ruleDraft'
import type { useRuleWords } from './useRuleWords'

export interface Choice {
  value: string
  label: string
}

const JOINS = ['entity', 'area', 'district', 'city'] as const

export function useChoices(language: () => Language | null, draft: () => Draft | null, rules: () => readonly Rule[], words: ReturnType<typeof useRuleWords>) {
  const { t, t2, locale } = useWords()
  const city = useCity()
  const type = computed(() => language()?.types.find((one) => one.id === draft()?.entity_type))
  const plain = (names: readonly string[]): Choice[] => names.map((name) => ({ value: name, label: name }))

  const SOURCES: Record<NonNullable<Field['source']>, () => Choice[]> = {
    entity_types: () => (language()?.types ?? []).map((one) => ({ value: one.id, label: `${words.typeTitle(one.id)} · ${one.id}` })),
    properties: () =>
      Object.entries(type.value?.units ?? {}).map(([id, unit]) => ({ value: id, label: `${words.propertyTitle(type.value?.id ?? '', id)} · ${id}${unit ? ` (${unitText(unit, locale.value)})` : ''}` })),
    columns: () => plain([...new Set(['entity', 'district', ...(type.value?.columns ?? [])])]),
    departments: () => [...city.departments.values()].map((one) => ({ value: one.id, label: t2(one.title) })),
    areas: () => city.areas.map((one) => ({ value: one.code, label: `${t2(one.title)} · ${one.code}` })),
    matters: () => city.matters.map((one) => ({ value: one.key, label: `${one.code} ${t2(one.title)}` })),
    rules: () => rules().filter((one) => one.id !== draft()?.id).map((one) => ({ value: one.id, label: `${t2(one.title)} · ${one.id}` })),
    series: () => (city.view?.series ?? []).map((one) => ({ value: one.id, label: t2(one.title) })),
    joins: () => JOINS.map((join) => ({ value: join as string, label: t(`rules.joins.${join}`) })),
  }

  /** The choices of a field: its own options, or what its source has now. */
  return (field: Field): Choice[] => {
    if (field.options?.length) return field.options.map((one) => ({ value: one.id, label: t2(one.title) }))
    return field.source ? SOURCES[field.source]() : []
  }
}
