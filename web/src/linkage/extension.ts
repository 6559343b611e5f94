/** Our words in a diagram, as the editor's model of BPMN reads and writes them. */

const text = (...names: string[]) => names.map((name) => ({ name, isAttr: true, type: 'String' }))
const element = (name: string, ...attributes: string[]) => ({ name, superClass: ['Element'], properties: text(...attributes) })

/** Properties that carry a prefix here are written without one: `cl:approval` of a task is the attribute `approval`. */
export const EXTENSION = {
  name: 'cityloop',
  uri: 'https://cityloop.org/ns/plan',
  prefix: 'cl',
  xml: { tagAlias: 'lowerCase' },
  types: [
    element('Task', 'form', 'limit', 'approval', 'four_eyes', 'remind', 'escalate'),
    element('Field', 'id', 'type', 'title_zh', 'title_en', 'required', 'values'),
    element('Service', 'name'),
    element('Input', 'name', 'value'),
    element('Result', 'name'),
    element('Department', 'id'),
    element('Post', 'id'),
    element('Lead', 'department', 'id'),
    element('Trigger', 'kind', 'rule', 'level', 'type', 'area', 'when', 'once', 'at', 'move'),
    element('Title', 'zh', 'en'),
  ],
}

/** Attributes of one of our elements. */
export type Values = Record<string, string>
export interface Own {
  kind: string
  values: Values
}

/** An element of the editor's model, as far as we look into it. */
export interface Model {
  id: string
  $type: string
  name?: string
  get: (name: string) => unknown
  extensionElements?: { get: (name: string) => Model[] }
  [key: string]: unknown
}

export const KINDS = EXTENSION.types.map((type) => type.name.toLowerCase())
const NAMES = new Map(EXTENSION.types.map((type) => [type.name.toLowerCase(), type.properties.map((one) => one.name)]))

/** What our extension says of an element. */
export function readOwn(model: Model): Own[] {
  const found = model.extensionElements?.get('values') ?? []
  return found.flatMap((one) => {
    const kind = one.$type.replace(/^cl:/, '').toLowerCase()
    const names = NAMES.get(kind)
    if (!one.$type.startsWith('cl:') || !names) return []
    const said = names.map((name) => [name, one.get(name)] as const).filter((pair): pair is readonly [string, string] => typeof pair[1] === 'string' && pair[1] !== '')
    return [{ kind, values: Object.fromEntries(said) }]
  })
}

/** The type in the model of one of our kinds. */
export function typeOf(kind: string): string {
  return `cl:${kind[0]?.toUpperCase()}${kind.slice(1)}`
}

/** The first of a kind, or an empty one. */
export function first(all: readonly Own[], kind: string): Values {
  return all.find((one) => one.kind === kind)?.values ?? {}
}

/** All with the first of a kind replaced; one that says nothing goes, except where `keep` says that it means something. */
export function withFirst(all: readonly Own[], kind: string, values: Values, keep = false): Own[] {
  const said = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
  const made = keep || Object.keys(said).length ? [{ kind, values: said }] : []
  const place = all.findIndex((one) => one.kind === kind)
  if (place < 0) return [...all, ...made]
  return [...all.slice(0, place), ...made, ...all.slice(place + 1)]
}

/** All with those of a kind replaced. */
export function withAll(all: readonly Own[], kind: string, values: readonly Values[]): Own[] {
  return [...all.filter((one) => one.kind !== kind), ...values.map((one) => ({ kind, values: one }))]
}
