/** Chinese first, English beside it. Content brings its own titles in both; `useTitle` picks. */
import type { Ref } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'

import type { Title } from '../api/types'
import type { Locale } from '../city/time'
import { keep, kept } from '../shared/storage'
import { en } from './en'
import { zh } from './zh-CN'

export const LOCALES: readonly Locale[] = ['zh-CN', 'en']

export const i18n = createI18n({
  legacy: false,
  locale: kept('language') === 'en' ? 'en' : 'zh-CN',
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
})

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  keep('language', locale)
}

/** The text of a bilingual title in a language. */
export function t2(title: Title | null | undefined, locale: string): string {
  if (!title) return ''
  return locale === 'en' ? title.en : title.zh
}

/** Several words in a row, as a language divides them. */
export function listed(words: readonly string[], locale: string): string {
  return words.join(locale === 'en' ? ', ' : '、')
}

/** What the server said in both languages, else its English words. */
export function told(said: Title | null | undefined, english: string, locale: string): string {
  return said ? t2(said, locale) : english
}

/** Everything a component needs to speak: `t` for our own words, `t2` for titles from content, `told` for what the server says, `listed` for several. */
export function useWords() {
  const { t, te, locale } = useI18n()
  return {
    t,
    te,
    locale: locale as unknown as Ref<Locale>,
    t2: (title: Title | null | undefined) => t2(title, locale.value),
    told: (said: Title | null | undefined, english: string) => told(said, english, locale.value),
    listed: (words: readonly string[]) => listed(words, locale.value),
  }
}
