/** Whether the screen is a phone's. */
import { onUnmounted, ref, type Ref } from 'vue'

export function usePhone(): Ref<boolean> {
  const media = window.matchMedia('(width < 760px)')
  const phone = ref(media.matches)
  const follow = (): void => void (phone.value = media.matches)
  media.addEventListener('change', follow)
  onUnmounted(() => media.removeEventListener('change', follow))
  return phone
}
