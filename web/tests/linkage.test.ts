/** What the editor of plans reads and writes of our extension, and what people type into forms. */
import { describe, expect, it } from 'vitest'

import { first, type Model, type Own, readOwn, typeOf, withAll, withFirst } from '../src/linkage/extension'
import { blank } from '../src/linkage/drawing'
import { objectOf, shown } from '../src/linkage/words'

function model(...values: Record<string, string>[]): Model {
  const made = values.map(({ $type = '', ...rest }) => ({ $type, id: '', get: (name: string) => rest[name] }))
  return { id: 'a', $type: 'bpmn:UserTask', get: () => undefined, extensionElements: { get: () => made } }
}

describe('the extension of an element', () => {
  it('is read without what others say and without what is empty', () => {
    const own = readOwn(model({ $type: 'cl:Task', limit: '2小时', form: '' }, { $type: 'camunda:script', name: 'x' }, { $type: 'cl:Field', id: 'depth' }))
    expect(own).toEqual([{ kind: 'task', values: { limit: '2小时' } }, { kind: 'field', values: { id: 'depth' } }])
  })

  it('is changed in its place, and goes when nothing is left of it', () => {
    const own: Own[] = [{ kind: 'task', values: { limit: '1小时' } }, { kind: 'title', values: { zh: '甲' } }]
    expect(withFirst(own, 'task', { limit: '2小时', form: '' })).toEqual([{ kind: 'task', values: { limit: '2小时' } }, own[1]])
    expect(withFirst(own, 'task', { limit: '' })).toEqual([own[1]])
    expect(withFirst([], 'service', { name: 'notify' })).toEqual([{ kind: 'service', values: { name: 'notify' } }])
    expect(first(own, 'title')).toEqual({ zh: '甲' })
    expect(first(own, 'service')).toEqual({})
  })

  it('holds lists that are replaced as a whole', () => {
    const own: Own[] = [{ kind: 'input', values: { name: 'a' } }, { kind: 'service', values: { name: 'notify' } }]
    expect(withAll(own, 'input', [{ name: 'b' }, { name: 'c' }]).map((one) => one.values.name)).toEqual(['notify', 'b', 'c'])
    expect(typeOf('title')).toBe('cl:Title')
  })
})

describe('what people type', () => {
  it('is an object, nothing, or refused', () => {
    expect(objectOf(' ')).toEqual({})
    expect(objectOf('{"depth": 12}')).toEqual({ depth: 12 })
    expect(objectOf('[1]')).toBeNull()
    expect(objectOf('depth = 12')).toBeNull()
  })

  it('is shown as text', () => {
    expect([shown(null), shown(''), shown(0), shown(false), shown(['a'])]).toEqual(['—', '—', '0', 'false', '["a"]'])
  })
})

it('a new plan bears its name without becoming markup', () => {
  expect(blank('night', '夜 <b> & "c"')).toContain('name="夜 &#60;b&#62; &#38; &#34;c&#34;"')
})
