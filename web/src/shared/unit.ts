/** Units as people read them. Content writes UCUM, where a counted thing stands in braces, `{persons}/10min`; symbols leave the braces out. */
const WORDS: Record<string, { zh: string; en: string }> = {
  persons: { zh: '人', en: 'persons' },
  person: { zh: '人', en: 'persons' },
  cases: { zh: '件', en: 'cases' },
  case: { zh: '件', en: 'cases' },
  bins: { zh: '个', en: 'bins' },
}

export function unitText(unit: string, locale: string): string {
  const named = unit.replace(/\{([^}]*)\}|\b(persons|cases|bins)\b/g, (_, braced: string | undefined, plain: string) => {
    const word = braced ?? plain
    const known = WORDS[word.toLowerCase()]
    return known ? (locale === 'en' ? known.en : known.zh) : word
  })
  return named
    .replace(/\bug\b/g, 'µg')
    .replace(/\bm([23])\b/g, (_, power: string) => (power === '2' ? 'm²' : 'm³'))
    .replace(/(\d)([A-Za-z])/g, '$1 $2')
}

/** At most two decimals, none for their own sake. */
export function rounded(value: number): string {
  return String(Number(value.toFixed(2)))
}

/** A value with its unit; a missing unit leaves no gap. */
export function measure(value: number, unit: string, locale: string): string {
  const text = unitText(unit, locale)
  return text ? `${rounded(value)} ${text}` : rounded(value)
}
