/** What a property allows, in one line. */
import type { PropertyView } from './types'

export function limitsText(one: Pick<PropertyView, 'min' | 'max' | 'enum' | 'pattern'>): string {
  const parts: string[] = []
  if (one.min !== null && one.max !== null) parts.push(`${one.min} … ${one.max}`)
  else if (one.min !== null) parts.push(`≥ ${one.min}`)
  else if (one.max !== null) parts.push(`≤ ${one.max}`)
  if (one.enum?.length) parts.push(one.enum.join(' / '))
  if (one.pattern) parts.push(`/${one.pattern}/`)
  return parts.join('，') || '—'
}
