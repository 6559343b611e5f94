/** The schemes of the city, and the one that the address names. */
import { computed, type ComputedRef } from 'vue'

import { api, ask } from '../api/client'
import { type Load, useLoad } from '../shared/useLoad'
import { useUrl } from '../shared/useUrl'
import { type Scheme, type Wanted, wantedOf } from './wanted'

export function useSchemes(): { schemes: Load<Scheme[]>; scheme: ComputedRef<Scheme | undefined>; wanted: ComputedRef<Wanted> } {
  const { one } = useUrl()
  const schemes = useLoad<Scheme[]>(() => ask(api.GET('/api/v1/schemes')))
  const scheme = computed(() => schemes.data.value?.find((known) => known.id === one('scheme')) ?? schemes.data.value?.[0])
  const wanted = computed(() => wantedOf(one, scheme.value))
  return { schemes, scheme, wanted }
}
