/** Places that the server knows by name: areas at once, addresses and observed things (stations, bins, …) by asking. */
import type { Area, Schemas, Title } from '../api/types'

export interface Found {
  id: string
  title: Title
  lon: number
  lat: number
  kind: 'area' | 'entity' | 'address'
  area: string | null
  /** Metres from the point that is there already. */
  metres?: number | null
}

/** Areas whose name or code holds the text; smaller ones first, for they say more of where it is. */
export function areasNamed(areas: readonly Area[], text: string, most: number): Found[] {
  const wanted = text.normalize('NFKC').trim().toLowerCase()
  if (!wanted) return []
  return areas
    .filter((area) => area.centre && [area.title.zh, area.title.en, area.code].some((word) => word.toLowerCase().includes(wanted)))
    .sort((a, b) => b.code.length - a.code.length || a.code.localeCompare(b.code))
    .slice(0, most)
    .map((area) => ({ id: area.code, title: area.title, lon: area.centre?.lon ?? 0, lat: area.centre?.lat ?? 0, kind: 'area', area: area.parent ?? null }))
}

/** Addresses of the register. */
export function addressesPlaced(addresses: readonly Schemas['AddressFound'][]): Found[] {
  return addresses.map(({ address, lon, lat, area, metres }) => ({ id: address, title: { zh: address, en: address }, lon, lat, kind: 'address', area, metres }))
}

/** Things of the city that have a place. */
export function entitiesPlaced(entities: readonly Schemas['EntityView'][]): Found[] {
  return entities.flatMap((one) => (one.lon !== null && one.lat !== null ? [{ id: one.id, title: one.title, lon: one.lon, lat: one.lat, kind: 'entity' as const, area: one.area }] : []))
}
