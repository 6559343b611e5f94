/** Do something now and then again and again while the component lives and the page is seen. */
import { onMounted, onUnmounted } from 'vue'

import { useLive } from '../app/live'

export function useEvery(milliseconds: number, act: () => unknown, atOnce = true): void {
  const live = useLive()
  let timer: number | undefined
  const off = live.on('reset', () => void act())
  onMounted(() => {
    if (atOnce) void act()
    timer = window.setInterval(() => {
      if (document.visibilityState === 'visible') void act()
    }, milliseconds)
  })
  onUnmounted(() => {
    window.clearInterval(timer)
    off()
  })
}
