/** A change of the city's rules: explained by the server, applied with a reason as a version, or a version gone back to. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { call } from '../api/call'
import { type Send, useSend } from '../shared/useSend'

export interface Explained {
  plan: string
  base: number
}

export interface Change<P extends Explained> {
  plan: ShallowRef<P | null>
  reason: Ref<string>
  explain: Send
  /** Put the explained wish into force; the answer goes to `applied`. */
  apply: Send
  /** The wish is another one now. */
  forget: () => void
}

export function useChange<P extends Explained, V>(room: '/calendars' | '/dispatch' | '/limits' | '/rules', wish: () => object, applied: (view: V) => void): Change<P> {
  const plan: ShallowRef<P | null> = shallowRef(null)
  const reason = ref('')
  const explain = useSend(async () => {
    plan.value = null
    plan.value = await call<P>('POST', `${room}/plan`, { body: wish() })
  })
  const apply = useSend(async () => {
    const body = { ...wish(), plan: plan.value?.plan ?? '', base: plan.value?.base ?? 0, reason: reason.value.trim() }
    applied(await call<V>('POST', `${room}/versions`, { body }))
    reason.value = ''
    forget()
  })

  function forget(): void {
    plan.value = null
    explain.problem.value = null
    apply.problem.value = null
  }

  return { plan, reason, explain, apply, forget }
}
