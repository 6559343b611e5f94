/** Sheets that a city is set up from: what is sent, what the server read, what it carried out. */
import type { Schemas } from '../api/types'

export type SheetKind = Schemas['SheetKindView']
export type SheetReading = Schemas['SheetReading']
export type SheetApplied = Schemas['SheetApplied']
export type SheetFault = Schemas['SheetFault']
export type SheetChange = Schemas['SheetChange']

/** What goes with a file: which sheet of its workbook, the datum of its coordinates. */
export type SheetParts = { file: File; sheet?: string; datum?: string }

export const DATUMS = ['wgs84', 'cgcs2000', 'gcj02', 'bd09'] as const

/** Where kinds with versions of their own are explained and applied. */
export const PAGES: Record<string, string> = { limits: '/settings/limits/change', responsibility: '/settings/dispatch' }

/** The parts of a change that differ, each with its sides. */
export function differences(change: SheetChange): { name: string; before: string; after: string }[] {
  const names = [...new Set([...Object.keys(change.before ?? {}), ...Object.keys(change.after ?? {})])]
  return names.map((name) => ({ name, before: change.before?.[name] ?? '', after: change.after?.[name] ?? '' }))
}

/** Passwords as a file that a table program opens: an account and its password a line. */
export function passwordLines(passwords: Record<string, string>): string {
  return `\ufeff${Object.entries(passwords).map(([account, password]) => `${account},${password}`).join('\r\n')}\r\n`
}
