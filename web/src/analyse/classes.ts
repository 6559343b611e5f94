/** The matters of a class as the case list's filter writes them. */
import type { Matter } from '../api/types'

/** One prefix a catalogue: `gb47678:matter:06*`. A class is known by its Chinese title or its code. */
export function classPatterns(matters: readonly Matter[], id: string): string[] {
  const members = matters.filter((matter) => matter.class_title.zh === id || matter.class_code === id)
  return [...new Set(members.map((matter) => `${matter.key.slice(0, matter.key.lastIndexOf(':') + 1)}${matter.class_code}*`))]
}
