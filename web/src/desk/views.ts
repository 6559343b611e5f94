/** Saved filters of the signed-in account, kept by the server. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { useSession } from '../access/session'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/types'

type View = Schemas['SavedView']

export const useViews = defineStore('views', () => {
  const session = useSession()
  const views = shallowRef<View[]>([])
  const holder = ref('')
  const loaded = computed(() => holder.value === (session.actor?.id ?? ''))

  async function load(): Promise<void> {
    const account = session.actor?.id ?? ''
    if (holder.value === account) return
    views.value = (await ask(api.GET('/api/v1/me/views'))).views
    holder.value = account
  }

  async function put(next: View[]): Promise<void> {
    views.value = (await ask(api.PUT('/api/v1/me/views', { body: { views: next } }))).views
  }

  /** A name that is there already gets the new filter. */
  async function save(view: View): Promise<void> {
    await put([...views.value.filter((one) => one.place !== view.place || one.name !== view.name), view])
  }

  async function drop(view: View): Promise<void> {
    await put(views.value.filter((one) => one !== view))
  }

  const of = (place: string): View[] => views.value.filter((one) => one.place === place)
  return { loaded, load, save, drop, of }
})

/** Whether two queries narrow alike; the page and the opened case are no filter. */
export function sameQuery(a: Record<string, string>, b: Record<string, string>): boolean {
  const plain = (query: Record<string, string>): string =>
    JSON.stringify(
      Object.entries(query)
        .filter(([name, value]) => value && name !== 'page' && name !== 'case')
        .sort(),
    )
  return plain(a) === plain(b)
}
