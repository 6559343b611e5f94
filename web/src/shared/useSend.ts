/** Sending something once at a time: busy while it is under way, and the refusal where there was one. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import type { Problem } from '../api/problem'
import { asProblem } from './useLoad'

export interface Send {
  busy: Ref<boolean>
  problem: ShallowRef<Problem | null>
  /** Whether it went through. */
  send: () => Promise<boolean>
}

export function useSend(act: () => Promise<unknown>): Send {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)

  async function send(): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = null
    try {
      await act()
    } catch (error) {
      problem.value = asProblem(error)
    } finally {
      busy.value = false
    }
    return problem.value === null
  }

  return { busy, problem, send }
}
