/** dmn-js, loaded when the first table is drawn: what the viewer and the editor share. */
import 'dmn-js/dist/assets/diagram-js.css'
import 'dmn-js/dist/assets/dmn-js-shared.css'
import 'dmn-js/dist/assets/dmn-js-drd.css'
import 'dmn-js/dist/assets/dmn-js-decision-table.css'
import 'dmn-js/dist/assets/dmn-js-decision-table-controls.css'
import 'dmn-js/dist/assets/dmn-js-literal-expression.css'
import 'dmn-js/dist/assets/dmn-font/css/dmn.css'
import './dmn.css'

import type { Locale } from '../city/time'
import { dmnTranslated } from './dmnWords'

export interface DmnView {
  id: string
  name: string
  type: string
}
interface Bus {
  on: (name: string, tell: () => void) => void
}
/** As much of dmn-js as is used here; it brings no types. */
export interface Dmn {
  importXML: (xml: string) => Promise<unknown>
  saveXML: (options: { format: boolean }) => Promise<{ xml: string }>
  getViews: () => DmnView[]
  open: (view: DmnView) => Promise<unknown>
  getActiveViewer: () => { get: <T>(name: string) => T } | undefined
  destroy: () => void
}

export async function dmnIn(container: HTMLElement, editable: boolean, locale: Locale): Promise<Dmn> {
  const { default: Made } = editable ? await import('dmn-js/lib/Modeler') : await import('dmn-js/lib/NavigatedViewer')
  const words = { additionalModules: [dmnTranslated(locale)] }
  return new Made({ container, drd: words, decisionTable: words, literalExpression: words, boxedExpression: words }) as Dmn
}

/** Tell of every change in the view that is open. */
export function onChange(dmn: Dmn, tell: () => void): void {
  dmn.getActiveViewer()?.get<Bus>('eventBus').on('elements.changed', tell)
}

/** Mark the rows of rules; those before lose the mark. */
export function markRows(box: HTMLElement, mark: 'matched' | 'faulty', rules: readonly string[]): void {
  for (const row of box.querySelectorAll(`tr.${mark}`)) row.classList.remove(mark)
  for (const rule of rules) box.querySelector(`td[data-row-id="${CSS.escape(rule)}"]`)?.closest('tr')?.classList.add(mark)
}
