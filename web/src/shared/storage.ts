/** A few wishes of this browser (theme, language, layers). Works, forgetting, where storage is switched off. */
const PREFIX = 'cityloop.'

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Nothing to do: the wish lasts for this page only.
  }
}
