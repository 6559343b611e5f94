/** The size of an element, followed as it changes. */
import { onMounted, onUnmounted, ref, type Ref } from 'vue'

export function useSize(element: Ref<HTMLElement | null>): { width: Ref<number>; height: Ref<number> } {
  const width = ref(0)
  const height = ref(0)
  let observer: ResizeObserver | undefined

  onMounted(() => {
    if (!element.value) return
    observer = new ResizeObserver(([entry]) => {
      if (!entry) return
      width.value = Math.floor(entry.contentRect.width)
      height.value = Math.floor(entry.contentRect.height)
    })
    observer.observe(element.value)
  })
  onUnmounted(() => observer?.disconnect())
  return { width, height }
}
