/** A plan being edited: its text, what lint says of it, what would change, what a dry run gives. */
import { computed, onUnmounted, ref, shallowRef } from 'vue'

import { asProblem } from '../shared/useLoad'
import { useSend } from '../shared/useSend'
import { plans } from './calls'
import { blank } from './drawing'
import type { Mark, PlanApplied, PlanExplained, PlanLint, PlanTried } from './types'

const LINT_AFTER_MS = 700

export function usePlanEdit(id: string, name: string, text: () => Promise<string>, applied: (plan: PlanApplied) => void) {
  /** What the editor opens; another text redraws it. */
  const xml = ref('')
  const lint = shallowRef<PlanLint | null>(null)
  const linting = ref(false)
  const explained = shallowRef<PlanExplained | null>(null)
  const tried = shallowRef<PlanTried | null>(null)
  const changed = ref(false)
  const migrate = ref(false)
  const reason = ref('')
  let timer: number | undefined

  const marks = computed<Mark[]>(() => (lint.value?.faults ?? []).filter((fault) => fault.element).map((fault) => ({ element: fault.element, state: fault.severity === 'error' ? 'fault' : 'hint' })))

  const load = useSend(async () => {
    const start = name ? (await plans.layout(blank(id, name))).xml : (await plans.get(id)).xml
    xml.value = start
  })
  const check = useSend(async () => {
    linting.value = true
    try {
      lint.value = await plans.lint(await text())
    } catch (error) {
      lint.value = null
      throw asProblem(error)
    } finally {
      linting.value = false
    }
  })
  const layout = useSend(async () => {
    xml.value = (await plans.layout(await text())).xml
    touch()
  })
  const explain = useSend(async () => {
    explained.value = await plans.explain(id, await text())
    lint.value = { faults: explained.value.faults, sound: explained.value.faults.every((fault) => fault.severity !== 'error') }
  })
  const apply = useSend(async () => {
    const body = { xml: await text(), base: explained.value?.base ?? 0, reason: reason.value.trim(), migrate: migrate.value }
    const done = await plans.apply(id, body)
    changed.value = false
    explained.value = null
    reason.value = ''
    applied(done)
  })

  async function tryOut(facts: object, answers: object): Promise<void> {
    tried.value = await plans.tryOut(id, { xml: await text(), facts, answers })
  }
  /** Something was drawn: what was said of it before no longer holds; it is checked once the hand rests. */
  function touch(): void {
    changed.value = true
    explained.value = null
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void check.send(), LINT_AFTER_MS)
  }
  function open(file: string): void {
    xml.value = file
    touch()
  }
  onUnmounted(() => window.clearTimeout(timer))

  return { xml, lint, linting, marks, explained, tried, changed, migrate, reason, load, check, layout, explain, apply, tryOut, touch, open }
}
