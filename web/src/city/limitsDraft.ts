/** Limits being changed: from single matters or from a sheet, until they are explained and applied. */
import { defineStore } from 'pinia'
import { computed } from 'vue'

import type { Schemas } from '../api/types'
import { useTabDraft } from '../shared/tabDraft'

export type LimitLine = Schemas['LimitLine']
export type Condition = Schemas['ConditionLine']
export type LimitsChange = Schemas['LimitsChange']
export type LimitsEffect = Schemas['LimitsEffect']
export type LimitsView = Schemas['LimitsView']
export type SheetPlan = Schemas['LimitsPlan']

/** A change that names only these. */
export const changing = (patch: Partial<LimitsChange> = {}): LimitsChange => ({ matters: {}, classes: {}, conditions: {}, fallback: null, ...patch })

/** The key of a matter's class: `standard:kind:class`. */
export function classKey(line: Pick<LimitLine, 'matter' | 'class_code'>): string {
  return [...line.matter.split(':').slice(0, 2), line.class_code].join(':')
}

/** What another limit or other lines of a matter change; `whole`: the limit is meant for its class. */
export function edited(line: LimitLine, limit: string, whole: boolean, conditions: readonly Condition[]): LimitsChange {
  const change = changing()
  const text = limit.trim()
  const own = line.source === 'matter'
  if (whole && text && (own || text !== line.limit || line.source !== 'class')) change.classes = { [classKey(line)]: text }
  if (own && (whole || !text)) change.matters = { [line.matter]: null }
  else if (!whole && text && text !== line.limit) change.matters = { [line.matter]: text }
  if (JSON.stringify(conditions) !== JSON.stringify(line.conditions)) change.conditions = { [line.matter]: [...conditions] }
  return change
}

/** Both changes, the later one on top. */
export function together(first: LimitsChange, then: LimitsChange): LimitsChange {
  return {
    matters: { ...first.matters, ...then.matters },
    classes: { ...first.classes, ...then.classes },
    conditions: { ...first.conditions, ...then.conditions },
    fallback: then.fallback ?? first.fallback ?? null,
  }
}

/** Every key that a change names, each once. */
export function keysOf(change: LimitsChange): string[] {
  return [...new Set([...Object.keys(change.matters), ...Object.keys(change.classes), ...Object.keys(change.conditions), ...(change.fallback ? ['fallback'] : [])])]
}

function dropped<T>(from: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([one]) => one !== key))
}

export const useLimitsDraft = defineStore('limits-draft', () => {
  const change = useTabDraft<LimitsChange>('limits', changing())
  const keys = computed(() => keysOf(change.value))

  function lay(more: LimitsChange): void {
    change.value = together(change.value, more)
  }
  function drop(key: string): void {
    const was = change.value
    change.value = {
      matters: dropped(was.matters, key),
      classes: dropped(was.classes, key),
      conditions: dropped(was.conditions, key),
      fallback: key === 'fallback' ? null : was.fallback,
    }
  }
  function clear(): void {
    change.value = changing()
  }
  return { change, keys, lay, drop, clear }
})
