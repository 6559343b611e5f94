/** Loading something with its three outcomes: data, a problem, or still under way. Late answers are dropped. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { Problem } from '../api/problem'

export interface Load<T> {
  data: ShallowRef<T | null>
  problem: ShallowRef<Problem | null>
  loading: Ref<boolean>
  run: () => Promise<void>
}

export function useLoad<T>(get: () => Promise<T>): Load<T> {
  const data = shallowRef<T | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const loading = ref(false)
  let turn = 0

  async function run(): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const got = await get()
      if (mine !== turn) return
      data.value = got
      problem.value = null
    } catch (error) {
      if (mine !== turn) return
      problem.value = asProblem(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  return { data, problem, loading, run }
}

/** Anything thrown, as a problem that a screen can show. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'client', error instanceof Error ? error.message : String(error))
}
