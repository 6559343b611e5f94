/** City time for people: every instant is shown in the city's zone, whatever zone the browser is in. */
export type Locale = 'zh-CN' | 'en'

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string, locale: Locale, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}|${locale}|${JSON.stringify(options)}`
  let made = formatters.get(key)
  if (!made) {
    made = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { timeZone: zone, hourCycle: 'h23', ...options })
    formatters.set(key, made)
  }
  return made
}

interface Parts {
  year: string
  month: string
  day: string
  hour: string
  minute: string
  second: string
}

/** The wall-clock parts of an instant in a zone, two digits each (year four). */
export function wall(instant: string | number | Date, zone: string): Parts {
  const parts = formatter(zone, 'en', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(new Date(instant))
  const of = (type: string): string => parts.find((p) => p.type === type)?.value ?? ''
  return {
    year: of('year'),
    month: of('month'),
    day: of('day'),
    hour: of('hour'),
    minute: of('minute'),
    second: of('second'),
  }
}

/** `14:36`. */
export function hourMinute(instant: string | number | Date, zone: string): string {
  const at = wall(instant, zone)
  return `${at.hour}:${at.minute}`
}

/** `03-09 14:36`, with the year in front when it is not the year of `now`. */
export function dateTime(instant: string | number | Date, zone: string, now?: number): string {
  const at = wall(instant, zone)
  const short = `${at.month}-${at.day} ${at.hour}:${at.minute}`
  return now !== undefined && wall(now, zone).year === at.year ? short : `${at.year}-${short}`
}

/** `14:36` today, `03-09 14:36` on other days. */
export function shortTime(instant: string | number | Date, zone: string, now: number): string {
  const at = wall(instant, zone)
  const today = wall(now, zone)
  const same = at.year === today.year && at.month === today.month && at.day === today.day
  return same ? `${at.hour}:${at.minute}` : `${at.month}-${at.day} ${at.hour}:${at.minute}`
}

/** `周一` or `Mon`. */
export function weekday(instant: string | number | Date, zone: string, locale: Locale): string {
  return formatter(zone, locale, { weekday: 'short' }).format(new Date(instant))
}

/** `2026-03-09`. */
export function isoDate(instant: string | number | Date, zone: string): string {
  const at = wall(instant, zone)
  return `${at.year}-${at.month}-${at.day}`
}

/** Milliseconds that `zone` is ahead of UTC at an instant. */
export function zoneOffset(instant: number, zone: string): number {
  const at = wall(instant, zone)
  const asUtc = Date.UTC(+at.year, +at.month - 1, +at.day, +at.hour, +at.minute, +at.second)
  return asUtc - Math.floor(instant / 1000) * 1000
}

/** The instant of a wall-clock time (`2026-03-09T00:00`) in a zone. */
export function fromWall(text: string, zone: string): number {
  const naive = Date.parse(`${text}Z`)
  const first = naive - zoneOffset(naive, zone)
  // A second look settles times next to a change of the offset.
  return naive - zoneOffset(first, zone)
}

/** The city's midnight before (or at) an instant. */
export function midnight(instant: number, zone: string): number {
  return fromWall(`${isoDate(instant, zone)}T00:00:00`, zone)
}

/** The full hour before (or at) an instant, by the city's clock. */
export function fullHour(instant: number, zone: string): number {
  const at = wall(instant, zone)
  return instant - (Number(at.minute) * 60 + Number(at.second)) * 1000 - (instant % 1000)
}

export type Span = { unit: 'd' | 'dh' | 'h' | 'hm' | 'm' | 's'; d: number; h: number; m: number; s: number }

/** A length of time in at most two units, for the message `span.<unit>`. */
export function span(seconds: number): Span {
  const whole = Math.max(0, Math.round(Math.abs(seconds)))
  const d = Math.floor(whole / 86400)
  const h = Math.floor((whole % 86400) / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const unit = d > 0 ? (h > 0 ? 'dh' : 'd') : h > 0 ? (m > 0 ? 'hm' : 'h') : m > 0 ? 'm' : 's'
  return { unit, d, h, m, s: whole % 60 }
}
