/** A draft in its two forms, kept in step by the server's check, with every fault at its key. */
import { computed, onUnmounted, ref, shallowRef } from 'vue'

import { api, ask } from '../api/client'
import type { Problem } from '../api/problem'
import type { Schemas } from '../api/types'
import { asProblem } from '../shared/useLoad'
import { asKind, type Draft, type Fault, type Kind, type Language, kindOf, withKey } from './ruleDraft'

/** How long the hands must rest before the server is asked, in milliseconds. */
const REST_MS = 350

export function useRuleDraft(language: () => Language | null, checked: () => void) {
  const draft = shallowRef<Draft | null>(null)
  const text = ref('')
  const check = shallowRef<Schemas['DraftCheck'] | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const waiting = ref(false)
  let timer: number | undefined
  let turn = 0

  const faults = computed<readonly Fault[]>(() => check.value?.faults ?? [])
  const sound = computed(() => !waiting.value && !problem.value && !!check.value && !faults.value.length)
  const changed = computed(() => !!check.value && (check.value.new || check.value.changes.length > 0))
  const kind = computed(() => (draft.value ? kindOf(draft.value, language()?.kinds ?? []) : undefined))

  async function asked(form: 'draft' | 'text', whole: boolean): Promise<void> {
    const mine = ++turn
    const body = form === 'draft' ? { draft: draft.value } : { text: text.value }
    try {
      const answer = await ask(api.POST('/api/v1/rules/check', { body }))
      if (mine !== turn) return
      check.value = answer
      problem.value = null
      // The form that the hands are on stays as they left it.
      if (form === 'draft' || whole) text.value = answer.text
      if (form === 'text' || whole) draft.value = answer.draft ?? draft.value
      checked()
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error)
    } finally {
      if (mine === turn) waiting.value = false
    }
  }

  function later(form: 'draft' | 'text'): void {
    waiting.value = true
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void asked(form, false), REST_MS)
  }

  /** Begin with a declaration, as people would write it. */
  async function begin(declaration: Draft): Promise<void> {
    draft.value = declaration
    waiting.value = true
    await asked('draft', true)
  }

  function set(key: string, value: unknown): void {
    if (!draft.value) return
    let next = withKey(draft.value, key, value)
    const measured = !!kind.value?.keys.includes('unit') && kind.value.measures === 'property'
    if (key === 'entity_type' && kind.value?.keys.includes('property')) next = withKey(next, 'property', '')
    if (measured && ['entity_type', 'property'].includes(key)) next = withKey(next, 'unit', language()?.types.find((type) => type.id === next.entity_type)?.units[String(next.property)] ?? '')
    draft.value = next
    later('draft')
  }

  function become(next: Kind): void {
    if (!draft.value) return
    draft.value = asKind(draft.value, next)
    later('draft')
  }

  function type(next: string): void {
    text.value = next
    later('text')
  }

  onUnmounted(() => window.clearTimeout(timer))
  return { draft, text, check, faults, problem, waiting, sound, changed, kind, begin, set, become, type }
}
