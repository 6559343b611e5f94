/** Keeps the phone pages within reach without a network: registers the worker and hands it what is loaded already. */
export async function keepWithinReach(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  try {
    await navigator.serviceWorker.register('/sw.js')
    const { active } = await navigator.serviceWorker.ready
    const loaded = performance.getEntriesByType('resource').map((entry) => entry.name)
    active?.postMessage({ keep: loaded })
  } catch {
    // Plain http on a foreign host has no workers: the queue still works while the page stays open.
  }
}
