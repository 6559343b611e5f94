/** The files of a change that is being written; kept while the browser's tab lives. */
import { defineStore } from 'pinia'
import { shallowRef, watch } from 'vue'

import type { File } from './types'

const KEY = 'cityloop.change'

function stored(): File[] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]')
    return Array.isArray(value) ? (value as File[]) : []
  } catch {
    return []
  }
}

export const useDraft = defineStore('change', () => {
  const files = shallowRef<File[]>(stored())

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

  watch(files, (next) => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(next))
    } catch {
      // Storage is off: the change lives as long as the page.
    }
  })
  return { files, put, drop, clear }
})
