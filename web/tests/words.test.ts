import { describe, expect, it } from 'vitest'

import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh-CN'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, path = ''): Map<string, string> {
  const made = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') made.set(path + key, value)
    else for (const [name, text] of flat(value, `${path}${key}.`)) made.set(name, text)
  }
  return made
}

const chinese = flat(zh as unknown as Tree)
const english = flat(en as unknown as Tree)
const named = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string).sort()

const rooms = import.meta.glob<{ zh?: object; en?: object }>('../src/*/i18n.*.ts', { eager: true })

describe('the words of the interface', () => {
  it('of every room are taken up, and no two rooms use one name', () => {
    for (const [all, language] of [[zh, 'zh'], [en, 'en']] as const) {
      const names = Object.values(rooms).flatMap((room) => Object.keys(room[language] ?? {}))
      expect(names.sort()).toEqual(Object.keys(all).sort())
    }
  })

  it('exist in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('are never empty', () => {
    for (const [key, text] of [...chinese, ...english]) expect(text, key).not.toBe('')
  })

  it('name the same values in both languages', () => {
    for (const [key, text] of chinese) expect(named(english.get(key) ?? ''), key).toEqual(named(text))
  })

  it('hold no character that the message syntax would take for its own', () => {
    for (const [key, text] of [...chinese, ...english]) expect(text, key).not.toMatch(/[@|]/)
  })
})
