/** What a diagram says, read from its text without the editor. */
import type { Locale } from '../city/time'

const OURS = 'https://cityloop.org/ns/plan'
const BPMN = 'http://www.omg.org/spec/BPMN/20100524/MODEL'

/** The title of an element in a language, where our extension says one. */
function titleOf(element: Element, locale: Locale): string | null {
  const title = [...element.children].find((child) => child.localName === 'extensionElements')?.getElementsByTagNameNS(OURS, 'title')[0]
  return title?.getAttribute(locale === 'en' ? 'en' : 'zh') || null
}

/** Names of the elements of a diagram in a language, by id. */
export function namesOf(xml: string, locale: Locale): Map<string, string> {
  const read = new DOMParser().parseFromString(xml, 'application/xml')
  const elements = [...read.getElementsByTagNameNS(BPMN, '*')].filter((element) => element.getAttribute('id'))
  return new Map(elements.map((element) => {
    const id = element.getAttribute('id') ?? ''
    return [id, titleOf(element, locale) ?? (element.getAttribute('name') || id)]
  }))
}

/** A diagram whose names are those of a language, to be shown. */
export function spoken(xml: string, locale: Locale): string {
  const read = new DOMParser().parseFromString(xml, 'application/xml')
  if (read.getElementsByTagName('parsererror').length) return xml
  for (const element of read.getElementsByTagNameNS(BPMN, '*')) {
    const said = titleOf(element, locale)
    if (!said) continue
    element.setAttribute('name', said)
    if (element.localName !== 'process') continue
    for (const pool of read.getElementsByTagNameNS(BPMN, 'participant')) pool.setAttribute('name', said)
  }
  return new XMLSerializer().serializeToString(read)
}

/** A diagram with nothing but a beginning, a task and an end, to start from. */
export function blank(id: string, name: string): string {
  const escaped = name.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="${BPMN}" xmlns:cl="${OURS}" targetNamespace="https://cityloop.org/plans">
  <bpmn:process id="${id}" name="${escaped}" isExecutable="true">
    <bpmn:extensionElements><cl:trigger kind="person"/></bpmn:extensionElements>
    <bpmn:laneSet id="lanes"><bpmn:lane id="lane-1" name="1">
      <bpmn:flowNodeRef>begin</bpmn:flowNodeRef><bpmn:flowNodeRef>task-1</bpmn:flowNodeRef><bpmn:flowNodeRef>end</bpmn:flowNodeRef>
    </bpmn:lane></bpmn:laneSet>
    <bpmn:startEvent id="begin" name="启动"/>
    <bpmn:userTask id="task-1" name="任务"/>
    <bpmn:endEvent id="end" name="结束"/>
    <bpmn:sequenceFlow id="flow-1" sourceRef="begin" targetRef="task-1"/>
    <bpmn:sequenceFlow id="flow-2" sourceRef="task-1" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>`
}
