/** Filters live in the address: what you see can be sent to somebody, and Back works. */
import { computed } from 'vue'
import { type LocationQueryRaw, useRoute, useRouter } from 'vue-router'

export function useUrl() {
  const route = useRoute()
  const router = useRouter()

  /** One value, or an empty text. */
  function one(name: string): string {
    const value = route.query[name]
    return (Array.isArray(value) ? value[0] : value) ?? ''
  }

  /** All values; several are written with commas. */
  function many(name: string): string[] {
    return one(name).split(',').filter(Boolean)
  }

  /** Change some; an empty value goes. Any change but of the page starts at page one. */
  function set(patch: Record<string, string | string[] | boolean | null | undefined>): void {
    const next: LocationQueryRaw = { ...route.query, ...('page' in patch ? {} : { page: undefined }) }
    for (const [name, value] of Object.entries(patch)) {
      const text = Array.isArray(value) ? value.join(',') : value === true ? 'true' : value || undefined
      next[name] = text || undefined
    }
    void router.replace({ query: next })
  }

  function clear(keep: string[] = []): void {
    void router.replace({ query: Object.fromEntries(Object.entries(route.query).filter(([name]) => keep.includes(name))) })
  }

  const page = computed(() => Math.max(1, Number(one('page')) || 1))
  const key = computed(() => JSON.stringify(route.query))
  return { one, many, set, clear, page, key }
}
