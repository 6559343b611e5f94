/** Dark or light: the visitor's choice, else what the system prefers. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

import { keep, kept } from '../shared/storage'

export type Theme = 'dark' | 'light'

function preferred(): Theme {
  const stored = kept('theme')
  if (stored === 'dark' || stored === 'light') return stored
  return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
}

export const useTheme = defineStore('theme', () => {
  const theme = ref<Theme>(preferred())

  function toggle(): void {
    theme.value = theme.value === 'dark' ? 'light' : 'dark'
    keep('theme', theme.value)
  }

  watch(
    theme,
    (value) => {
      document.documentElement.dataset.theme = value
      document.documentElement.classList.toggle('dark', value === 'dark')
    },
    { immediate: true },
  )

  return { theme, toggle }
})

/** The value of a token of the palette in force, for what is drawn on a canvas. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}
