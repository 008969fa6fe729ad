import type { HistoryEntry } from './change.js'
import type { NumberedInfo, SessionState } from './session-state.js'
import type { Definition } from './state.js'
import type { StateStore } from './state-store.js'
import { type Birth, newId, StoredVariable } from './stored-variable.js'
import { compileValidator, type Validator } from './types/index.js'

/** How one side knows the type of a variable. */
export interface OwnType {
  readonly type: Definition['type']
  readonly validator: Validator
}

/** A variable that has a past elsewhere, of its built-in type: a user's own type is known only where its module is. */
export function adopted(
  info: NumberedInfo,
  historyLimit: number,
  history?: readonly HistoryEntry[],
  kept: Pick<Birth, 'number' | 'id' | 'elsewhere'> = { number: info.number, id: newId(info.name) },
  own?: OwnType,
): StoredVariable {
  const { name, base, constraints, description, metadata, version, revision, value, createdAt, updatedAt } = info
  const definition = { name, type: own?.type ?? base, constraints, ...(description !== undefined && { description }) }
  const { number, id, elsewhere } = kept
  const birth = { number, id, createdAt, revision, definition, ...(elsewhere !== undefined && { elsewhere }) }
  const said = { source: metadata['source'] ?? 'local' }
  const known = { metadata, at: revision, version, said, deletedAt: undefined }
  // Without a user's module nothing is awaited.
  const validator = own?.validator ?? (compileValidator(name, base, constraints) as Validator)
  const variable = new StoredVariable(birth, validator, historyLimit, known)
  const present = { version, value, revision, timestamp: updatedAt, metadata: said }
  variable.past(history?.length ? history : [present])
  return variable
}

/** Makes an empty store the context that `state` is of. */
export function begin(
  store: StateStore,
  { incarnation, revision, variables, histories, leases }: SessionState,
  limit: number,
) {
  const all = variables.map((info) => adopted(info, limit, histories?.[info.name]))
  for (const variable of all) {
    variable.lease = leases?.[variable.name]
    store.adopt(variable)
  }
  // No later lease has the token of an earlier one.
  store.skipNumbers(Math.max(0, ...all.map(({ lease }) => (lease?.token ?? -1) + 1)))
  store.restart(revision)
  if (incarnation !== '') store.log.incarnation = incarnation
  return all
}
