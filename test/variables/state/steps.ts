import type { LocalState } from '../../../src/variables/local-state.js'
import { valueAt } from '../self-checking.js'

export const retention = { history: 10, log: 50 }

/** The variables that the first revisions define. */
export const stable = ['one', 'two', 'three', 'four']
/** It is defined and deleted again and again. */
export const flicker = 'flicker'

export const saidAt = (revision: number) => (revision % 4 === 0 ? { source: 'test', revision } : undefined)

/** Which variables a revision writes; none when it defines or deletes. */
export function written(revision: number): readonly string[] {
  if (revision <= stable.length || isFlicker(revision)) return []
  return revision % 3 === 0 ? ['one', 'two'] : [stable[revision % 4] as string]
}

const isFlicker = (revision: number): boolean => revision > stable.length && revision % 11 === 0

/** Whether the variable that comes and goes is there after a revision, and the revision that made it so. */
export function flickers(revision: number): { readonly isThere: boolean; readonly since: number } {
  const since = revision - (revision % 11)
  return { isThere: since > 0 && (since / 11) % 2 === 1, since }
}

/** Does what makes this revision of the one before it. */
export function take(state: LocalState, revision: number): void {
  const value = json(revision)
  const name = stable[revision - 1]
  if (name !== undefined) void state.define({ name, type: 'json', initial: value })
  else if (!isFlicker(revision)) {
    const said = saidAt(revision)
    const writes = written(revision).map((name) => ({ name, value, ...(said && { metadata: said }) }))
    state.setMany(writes, true)
  } else if (flickers(revision).isThere) void state.define({ name: flicker, type: 'json', initial: value })
  else state.delete(flicker)
}

/** A value of some kind and size, every part of which tells the revision. */
export function json(revision: number): unknown {
  const value = valueAt(revision)
  if (value instanceof Float64Array) return [...value]
  if (typeof value === 'object' && value !== null && 'deep' in value) return { ...value, deep: revision }
  return value
}
