/** The files of a change that is being written; kept while the browser's tab lives. */
import { defineStore } from 'pinia'

import { useTabDraft } from '../shared/tabDraft'
import type { File } from './types'

export const useDraft = defineStore('change', () => {
  const files = useTabDraft<File[]>('change', [])

  /** Put one file in the place of the one of its name. */
  function put(file: File): void {
    const others = files.value.filter((one) => one.name !== file.name)
    files.value = [...others, file]
  }

  function drop(name: string): void {
    files.value = files.value.filter((one) => one.name !== name)
  }

  function clear(): void {
    files.value = []
  }
  return { files, put, drop, clear }
})
