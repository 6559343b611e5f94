/** The filters of the case list, between the address and the interface of the server. */
import type { paths } from '../api/schema'
import type { Channel, Light } from '../api/types'
import { asked, flag, instant } from '../shared/list'

export type CaseQuery = NonNullable<paths['/api/v1/cases']['get']['parameters']['query']>

export const LIGHTS: readonly Light[] = ['red', 'yellow', 'green', 'paused', 'none']
export const CHANNELS: readonly Channel[] = ['collector', 'hotline', 'citizen', 'open311', 'leader', 'media', 'department', 'warning', 'device', 'inspection', 'drill']

/** The address' texts as a query; what does not fit is left out rather than sent. */
export function caseQuery(one: (name: string) => string, many: (name: string) => string[]): CaseQuery {
  const light = one('light') as Light
  const channel = one('channel') as Channel
  return asked<CaseQuery>({
    state: many('state').length ? many('state') : undefined,
    open: flag(one('open')),
    mine: one('mine') === 'true' || undefined,
    department: one('department') || undefined,
    area: one('area') || undefined,
    matter: many('matter').length ? many('matter') : undefined,
    channel: CHANNELS.includes(channel) ? channel : undefined,
    light: LIGHTS.includes(light) ? light : undefined,
    on_time: flag(one('on_time')),
    series: one('series') || undefined,
    warning: one('warning') || undefined,
    entity: one('entity') || undefined,
    text: one('text') || undefined,
    opened_from: instant(one('opened_from')),
    opened_to: instant(one('opened_to')),
    closed_from: instant(one('closed_from')),
    closed_to: instant(one('closed_to')),
  })
}
