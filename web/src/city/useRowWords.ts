/** What a row of the table of responsibility says, in the visitor's language. */
import { computed } from 'vue'

import { useWords } from '../i18n'
import { useCity } from './city'
import { AS_NAMED, leads, type Row } from './dispatchDraft'

export function useRowWords() {
  const { t, t2, listed } = useWords()
  const city = useCity()
  const matters = computed(() => new Map(city.matters.map((one) => [one.key, one.title])))
  const classes = computed(() => new Map(city.matters.map((one) => [`${one.standard}:${one.kind}:${one.class_code}*`, one.class_title])))

  const body = (id: string): string => (id === AS_NAMED ? t('dispatch.asNamed') : t2(city.departmentTitle(id)) || id)
  function matter(pattern: string): string {
    const [, standard, kind] = /^([^:*]+):(matter|component):\*$/.exec(pattern) ?? []
    if (kind) return t('dispatch.wholeKind', { standard, kind: t(`catalogue.kinds.${kind}`) })
    return t2(matters.value.get(pattern) ?? classes.value.get(pattern)) || pattern
  }
  const area = (code: string): string => t2(city.areaTitles.get(code)) || code

  /** Every condition of a row in a few words; a row without one takes everything. */
  function conditions(row: Row): string[] {
    const days = (row.weekdays ?? []).map((day) => t(`dispatch.weekday.${day}`))
    const hours = row.hours ? `${row.hours.from.slice(0, 5)}–${row.hours.to.slice(0, 5)}` : ''
    const found = [
      listed((row.matters ?? []).map(matter)),
      listed((row.areas ?? []).map(area)),
      row.owners?.length ? t('dispatch.ownedBy', { names: listed(row.owners) }) : '',
      listed((row.channels ?? []).map((one) => t(`channel.${one}`))),
      [listed(days), hours].filter(Boolean).join(' '),
    ]
    return found.filter(Boolean)
  }

  const lead = (row: Row): string => leads(row).map(body).join(' / ')
  const helpers = (row: Row): string => listed((row.co_handlers ?? []).map((one) => body(one.department)))
  const all = (row: Row): string => [row.id, row.title.zh, row.title.en, ...(row.matters ?? []), ...conditions(row), lead(row), helpers(row)].join(' ')
  return { body, matter, area, conditions, lead, helpers, all }
}
