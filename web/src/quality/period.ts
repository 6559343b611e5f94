/** The stretch that scores are asked for: some days up to now, or what the address says. */
export const STRETCHES = [1, 7, 30, 90] as const
const DAY = 86_400_000

export function stretch(days: string, now: number): { from: string; to: string } {
  const wanted = STRETCHES.find((one) => String(one) === days) ?? 7
  const end = Math.floor(now / 60_000) * 60_000
  return { from: new Date(end - wanted * DAY).toISOString(), to: new Date(end).toISOString() }
}
