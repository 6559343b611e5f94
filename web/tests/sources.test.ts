import { describe, expect, it } from 'vitest'

import { en } from '../src/i18n/en'

const sources = import.meta.glob<string>('../src/**/*.{vue,ts,css}', { query: '?raw', import: 'default', eager: true })
const files = Object.keys(sources)
const text = (name: string): string => sources[name] ?? ''

function known(key: string): boolean {
  let at: unknown = en
  for (const part of key.split('.')) at = (at as Record<string, unknown> | undefined)?.[part]
  return typeof at === 'string'
}

/** Names of vocabularies that diagrams and decision tables are written in; nothing is fetched from them. */
const VOCABULARIES = /https:\/\/cityloop\.org\/(ns|plans)|https?:\/\/www\.omg\.org\/spec\/[\w./]+/g

describe('the sources', () => {
  it('keep every component under 300 lines', () => {
    for (const name of files.filter((f) => f.endsWith('.vue'))) expect(text(name).split('\n').length, name).toBeLessThan(300)
  })

  it('write no inline style, which a strict content security policy refuses', () => {
    for (const name of files.filter((f) => f.endsWith('.vue'))) expect(text(name), name).not.toMatch(/\sstyle="/)
  })

  it('name no outside host', () => {
    for (const name of files.filter((f) => !f.endsWith('api/schema.ts'))) expect(text(name).replace(VOCABULARIES, ''), name).not.toMatch(/https?:\/\/|['"]\/\/\w/)
  })

  it('use only words that exist', () => {
    for (const name of files.filter((f) => f.endsWith('.vue'))) {
      for (const [, key] of text(name).matchAll(/\bt\('([\w.]+)'/g)) expect(known(key as string), `${name}: ${key}`).toBe(true)
    }
  })
})
