/** One warning with evidence, and the acts on it; shared by the card on the map and the page. */
import { ElMessage } from 'element-plus'
import { computed, onUnmounted, watch } from 'vue'

import { useSession } from '../access/session'
import { api, ask } from '../api/client'
import { useLive } from '../app/live'
import { asProblem, useLoad } from '../shared/useLoad'
import { useWarnings } from './warnings'

/** What a warning can turn out to be. */
export const OUTCOMES = ['true', 'false', 'drill'] as const
export type Outcome = (typeof OUTCOMES)[number]

export function useWarning(id: () => string) {
  const session = useSession()
  const store = useWarnings()
  const live = useLive()
  const { data, problem, loading, run } = useLoad(() =>
    ask(api.GET('/api/v1/warnings/{warning}', { params: { path: { warning: id() } } })),
  )
  const mayAcknowledge = computed(() => data.value !== null && !data.value.acknowledged_at && session.may('warning.acknowledge'))

  async function acknowledge(): Promise<void> {
    if (!mayAcknowledge.value) return
    try {
      data.value = await ask(api.POST('/api/v1/warnings/{warning}/acknowledge', { params: { path: { warning: id() } } }))
      if (data.value.status === 'open') store.put(data.value)
    } catch (error) {
      ElMessage.error(asProblem(error).detail)
    }
  }

  const mayLabel = computed(() => data.value !== null && session.may('warning.label'))

  async function label(outcome: Outcome): Promise<void> {
    try {
      data.value = await ask(api.POST('/api/v1/warnings/{warning}/outcome', { params: { path: { warning: id() } }, body: { outcome, note: '' } }))
    } catch (error) {
      ElMessage.error(asProblem(error).detail)
    }
  }

  watch(id, () => (id() ? run() : undefined), { immediate: true })
  const off = live.on('warning', (warning) => {
    if (warning.id === id() && warning.updated_at !== data.value?.updated_at) void run()
  })
  onUnmounted(off)
  return { data, problem, loading, run, mayAcknowledge, acknowledge, mayLabel, label }
}
