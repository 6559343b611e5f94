/** What a diagram says, read from its text without the editor. */
import type { Locale } from '../city/time'

const OURS = 'https://cityloop.org/ns/plan'
const BPMN = 'http://www.omg.org/spec/BPMN/20100524/MODEL'

/** Names of the elements of a diagram in a language, by id. */
export function namesOf(xml: string, locale: Locale): Map<string, string> {
  const names = new Map<string, string>()
  const read = new DOMParser().parseFromString(xml, 'application/xml')
  for (const element of read.getElementsByTagNameNS(BPMN, '*')) {
    const id = element.getAttribute('id')
    if (!id) continue
    const title = [...element.children].find((child) => child.localName === 'extensionElements')?.getElementsByTagNameNS(OURS, 'title')[0]
    const said = title?.getAttribute(locale === 'en' ? 'en' : 'zh')
    names.set(id, said || element.getAttribute('name') || id)
  }
  return names
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
