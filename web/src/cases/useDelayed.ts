/** Ask once typing has paused; a late answer to an older question is dropped, a refusal leaves nothing. */
import { onUnmounted, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

const PAUSE_MS = 450

/** `question` answers what to ask, or null while there is nothing to ask. */
export function useDelayed<Q, A>(question: () => Q | null, ask: (question: Q) => Promise<A>): { data: ShallowRef<A | null>; asking: Ref<boolean> } {
  const data = shallowRef<A | null>(null)
  const asking = ref(false)
  let timer: number | undefined
  let turn = 0

  async function run(asked: Q): Promise<void> {
    const mine = ++turn
    asking.value = true
    const got = await ask(asked).catch(() => null)
    if (mine !== turn) return
    data.value = got
    asking.value = false
  }

  watch(
    () => JSON.stringify(question()),
    () => {
      window.clearTimeout(timer)
      const asked = question()
      if (asked !== null) timer = window.setTimeout(() => void run(asked), PAUSE_MS)
      else {
        turn += 1
        data.value = null
        asking.value = false
      }
    },
    { immediate: true },
  )
  onUnmounted(() => window.clearTimeout(timer))
  return { data, asking }
}
