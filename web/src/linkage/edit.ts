/** Changes of a diagram in the editor; each can be undone there. */
import type BaseViewer from 'bpmn-js/lib/BaseViewer'

import { registryOf, type Shape } from './canvas'
import { type Model, type Own, typeOf } from './extension'

interface Modeling {
  updateProperties: (element: Shape, properties: object) => void
  updateModdleProperties: (element: Shape, model: Model, properties: object) => void
}
interface Moddle {
  create: (type: string, properties?: object) => Model
}

const modelingOf = (editor: BaseViewer): Modeling => editor.get<Modeling>('modeling')
const moddleOf = (editor: BaseViewer): Moddle => editor.get<Moddle>('moddle')

/** The process that a root element stands for: itself, or what the pool of a collaboration shows. */
export function processOf(model: Model): Model {
  const participants = model.participants as Model[] | undefined
  return (participants?.[0]?.processRef as Model | undefined) ?? (model.processRef as Model | undefined) ?? model
}

export function rename(editor: BaseViewer, shape: Shape, name: string): void {
  modelingOf(editor).updateProperties(shape, { name })
}

/** Replace what our extension says of an element; what others say stays. */
export function writeOwn(editor: BaseViewer, shape: Shape, model: Model, own: readonly Own[]): void {
  const moddle = moddleOf(editor)
  const others = (model.extensionElements?.get('values') ?? []).filter((one) => !one.$type.startsWith('cl:'))
  const values = [...own.map((one) => moddle.create(typeOf(one.kind), one.values)), ...others]
  const extensionElements = values.length ? moddle.create('bpmn:ExtensionElements', { values }) : undefined
  if (extensionElements) extensionElements.$parent = model
  for (const one of values) one.$parent = extensionElements
  modelingOf(editor).updateModdleProperties(shape, model, { extensionElements })
}

export function writeDocumentation(editor: BaseViewer, shape: Shape, model: Model, text: string): void {
  const documentation = text ? [moddleOf(editor).create('bpmn:Documentation', { text })] : []
  modelingOf(editor).updateModdleProperties(shape, model, { documentation })
}

export function documentationOf(model: Model): string {
  const [first] = (model.documentation as { text?: string }[] | undefined) ?? []
  return first?.text ?? ''
}

export function conditionOf(model: Model): string {
  return (model.conditionExpression as { body?: string } | undefined)?.body ?? ''
}

export function writeCondition(editor: BaseViewer, shape: Shape, body: string): void {
  const conditionExpression = body ? moddleOf(editor).create('bpmn:FormalExpression', { body }) : undefined
  modelingOf(editor).updateProperties(shape, { conditionExpression })
}

/** Make a flow the default of the gateway that it leaves, or no longer. */
export function writeDefault(editor: BaseViewer, flow: Shape, on: boolean): void {
  const source = registryOf(editor).get((flow.businessObject.sourceRef as Model).id)
  if (source) modelingOf(editor).updateProperties(source, { default: on ? flow.businessObject : undefined })
}

export function timerOf(model: Model): Model | null {
  const [first] = (model.eventDefinitions as Model[] | undefined) ?? []
  return first?.$type === 'bpmn:TimerEventDefinition' ? first : null
}

export function timeOf(timer: Model): string {
  return ((timer.timeDuration ?? timer.timeDate) as { body?: string } | undefined)?.body ?? ''
}

export function writeTime(editor: BaseViewer, shape: Shape, timer: Model, body: string): void {
  const made = body ? moddleOf(editor).create('bpmn:FormalExpression', { body }) : undefined
  const instant = /^\d{4}-/.test(body)
  modelingOf(editor).updateModdleProperties(shape, timer, { timeDuration: instant ? undefined : made, timeDate: instant ? made : undefined, timeCycle: undefined })
}
