/** Single-key shortcuts, silent while somebody is typing or a dialog is open. */
import { onMounted, onUnmounted } from 'vue'

export type Keys = Record<string, (event: KeyboardEvent) => void>

/** Whether a key press belongs to a field or a dialog rather than to the page. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('.el-overlay, .el-popper, [role="dialog"]')) return true
  return ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) && (target as HTMLInputElement).type !== 'checkbox'
}

export function useKeys(keys: Keys): void {
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (document.querySelector('.el-overlay:not([style*="display: none"]) .el-dialog')) return
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (act) act(event)
  }
  onMounted(() => window.addEventListener('keydown', press))
  onUnmounted(() => window.removeEventListener('keydown', press))
}
