/** Something being written: kept for its author while the browser's tab lives, so that a reload loses nothing. */
import { computed, shallowRef, type WritableComputedRef, watch } from 'vue'

import { useSession } from '../access/session'

function stored<T>(key: string, none: T): T {
  try {
    const text = sessionStorage.getItem(key)
    return text === null ? none : (JSON.parse(text) as T)
  } catch {
    return none
  }
}

export function useTabDraft<T>(name: string, none: T): WritableComputedRef<T> {
  const session = useSession()
  const key = computed(() => `cityloop.draft.${name}.${session.actor?.id ?? ''}`)
  const held = shallowRef(stored(key.value, none))
  watch(key, (now) => { held.value = stored(now, none) }, { flush: 'sync' })

  return computed({
    get: () => held.value,
    set: (next) => {
      held.value = next
      try {
        sessionStorage.setItem(key.value, JSON.stringify(next))
      } catch {
        // Storage is off: the draft lives as long as the page.
      }
    },
  })
}
