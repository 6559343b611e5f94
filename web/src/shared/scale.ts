/** Round axis steps: 1, 2 or 5 times a power of ten, about `count` of them up to `most`. */
export function ticks(most: number, count = 3): number[] {
  if (most <= 0) return [0, 1]
  const raw = most / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = Math.max(1, ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power)
  const made: number[] = []
  for (let at = 0; at < most + step * 0.999; at += step) made.push(at)
  return made
}
