/** Who has a step in hand, in words: a person, a department, or a post. */
import { computed } from 'vue'

import type { Title } from '../api/types'
import { useCity } from '../city/city'
import { useWords } from '../i18n'

interface Held {
  department?: string | null
  post?: string | null
  assignee_name?: Title | null
}

export function useWhose() {
  const { t2 } = useWords()
  const city = useCity()
  const posts = computed(() => new Map((city.view?.posts ?? []).map((post) => [post.id, post.title])))

  /** The name of a department or post; of anybody else the id. */
  function named(id: string | null | undefined): string {
    if (!id) return '—'
    return t2(city.departments.has(id) ? city.departmentTitle(id) : (posts.value.get(id) ?? { zh: id, en: id }))
  }
  const whose = (one: Held): string => (one.assignee_name ? t2(one.assignee_name) : named(one.department ?? one.post))
  return { named, whose }
}
