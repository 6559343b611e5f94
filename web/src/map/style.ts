/** The map's style in the palette in force. Our own shapes only; no glyph server, no tiles, no outside host. */
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl'

import { token } from '../theme/theme'

export const SOURCES = ['districts', 'cells', 'names', 'heat', 'entities', 'clusters', 'pins', 'ring'] as const
export type SourceId = (typeof SOURCES)[number]
export const FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"

/** Size of district names in pixels; the layout of the marks reckons with it. */
export const NAME_SIZE = 14

const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

function rgba(colour: string, alpha: number): string {
  const n = Number.parseInt(colour.slice(1), 16)
  return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`
}

function ground(): LayerSpecification[] {
  return [
    { id: 'background', type: 'background', paint: { 'background-color': token('map-ground') } },
    { id: 'districts-fill', type: 'fill', source: 'districts', paint: { 'fill-color': token('map-land') } },
    {
      id: 'cells-shade',
      type: 'fill',
      source: 'cells',
      layout: { visibility: 'none' },
      paint: {
        'fill-color': token('accent'),
        'fill-opacity': ['interpolate', ['linear'], ['coalesce', ['feature-state', 'share'], 0], 0, 0, 0.02, 0.12, 1, 0.78],
      },
    },
    {
      id: 'cells-line',
      type: 'line',
      source: 'cells',
      paint: { 'line-color': token('line-strong'), 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.5, 14, 1.2] },
    },
    { id: 'districts-line', type: 'line', source: 'districts', paint: { 'line-color': token('case'), 'line-width': 1.1 } },
  ]
}

function heat(): LayerSpecification {
  const violet = token('heat')
  return {
    id: 'heat',
    type: 'heatmap',
    source: 'heat',
    paint: {
      'heatmap-weight': 1,
      'heatmap-radius': ['interpolate', ['exponential', 1.7], ['zoom'], 8, 16, 11, 38, 15, 130],
      'heatmap-intensity': ['interpolate', ['linear'], ['zoom'], 8, 0.16, 11, 0.28, 15, 0.9],
      'heatmap-color': [
        'interpolate',
        ['linear'],
        ['heatmap-density'],
        0,
        rgba(violet, 0),
        0.15,
        rgba(violet, 0.14),
        0.5,
        rgba(violet, 0.38),
        1,
        rgba('#d985c0', 0.72),
      ],
    },
  }
}

function things(): LayerSpecification[] {
  return [
    {
      id: 'entities',
      type: 'circle',
      source: 'entities',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 8, 2, 12, 3.5, 15, 6],
        'circle-color': ['case', ['get', 'stale'], token('text-3'), token('accent')],
        'circle-opacity': 0.9,
        'circle-stroke-color': token('bg'),
        'circle-stroke-width': 0.8,
      },
    },
    {
      id: 'names',
      type: 'symbol',
      source: 'names',
      layout: {
        'text-field': ['get', 'name'],
        'text-size': NAME_SIZE,
        'text-letter-spacing': 0.1,
        'text-max-width': 30,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': token('text-2'), 'text-halo-color': token('map-land'), 'text-halo-width': 1.6 },
    },
    {
      id: 'clusters',
      type: 'symbol',
      source: 'clusters',
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-allow-overlap': true,
        'text-field': ['get', 'label'],
        'text-size': 12,
        'text-allow-overlap': true,
        'symbol-sort-key': ['get', 'count'],
      },
      paint: { 'text-color': token('text') },
    },
  ]
}

function signs(): LayerSpecification[] {
  return [
    {
      id: 'ring',
      type: 'circle',
      source: 'ring',
      paint: {
        'circle-radius': 12,
        'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': token('accent'),
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'pins',
      type: 'symbol',
      source: 'pins',
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-anchor': 'bottom',
        'icon-allow-overlap': true,
        'symbol-sort-key': ['get', 'rank'],
        'text-field': ['get', 'label'],
        'text-size': 11,
        'text-anchor': 'left',
        'text-offset': [1.15, -2.1],
        'text-allow-overlap': true,
      },
      paint: { 'text-color': token('text'), 'text-halo-color': token('bg'), 'text-halo-width': 2 },
    },
  ]
}

export function style(): StyleSpecification {
  return {
    version: 8,
    sources: Object.fromEntries(
      SOURCES.map((id) => [id, { type: 'geojson', data: EMPTY, ...(id === 'cells' ? { promoteId: 'code' } : {}) }]),
    ) as StyleSpecification['sources'],
    layers: [...ground(), heat(), ...things(), ...signs()],
  }
}
