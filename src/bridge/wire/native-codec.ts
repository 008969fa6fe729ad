import { BeamlineError, type ErrorCode } from '../../errors.js'
import type { HistoryEntry, Metadata } from '../../variables/change.js'
import type { Lease } from '../../variables/lease.js'
import type { CommitEvent, NumberedInfo, SessionState } from '../../variables/session-state.js'
import { isTypeName } from '../../variables/types/definition.js'
import { isPlainObject } from '../../variables/types/refusal.js'
import type { TypeName } from '../../variables/types/value-types.js'
import * as wire from '../gen/snakepit/bridge/watch/v1/watch.js'
import { readJson, writeJsonLoosely } from './json-text.js'
import { fromValue, toValue } from './native-value.js'

export { fromValue, toValue }

/** Metadata as JSON: what JSON cannot say is said as well as it can be. Empty for none. */
export const toMetadata = (metadata: Metadata | undefined): string =>
  metadata === undefined ? '' : writeJsonLoosely(metadata)

/** @throws BeamlineError INVALID_TYPE for what is no JSON object */
export const fromMetadata = (text: string): Metadata | undefined =>
  text === '' ? undefined : objectOf(text, 'metadata')

/** Constraints as JSON; a regular expression as an object of its source and flags. */
export function toConstraints(constraints: Readonly<Record<string, unknown>>): string {
  const { pattern } = constraints
  if (!(pattern instanceof RegExp)) return writeJsonLoosely(constraints)
  return writeJsonLoosely({ ...constraints, pattern: { source: pattern.source, flags: pattern.flags } })
}

/** @throws BeamlineError CONSTRAINT for what is none */
export function fromConstraints(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {}
  try {
    const constraints = objectOf(text, 'constraints')
    const { pattern } = constraints
    if (!isPlainObject(pattern)) return constraints
    return { ...constraints, pattern: new RegExp(String(pattern['source']), String(pattern['flags'] ?? '')) }
  } catch (cause) {
    throw new BeamlineError('CONSTRAINT', 'Invalid constraints: they must be a JSON object', { cause })
  }
}

export function toVariable(info: NumberedInfo): wire.Variable {
  const { number, id, name, type, base, version, revision, description, createdAt, updatedAt } = info
  return {
    number,
    id,
    name,
    type,
    base,
    value: toValue(info.value),
    version,
    revision,
    constraintsJson: toConstraints(info.constraints),
    ...(description !== undefined && { description }),
    metadataJson: toMetadata(info.metadata),
    createdAt,
    updatedAt,
  }
}

/** @throws BeamlineError INVALID_TYPE, CONSTRAINT for what is malformed */
export function fromVariable(variable: wire.Variable): NumberedInfo {
  const { number, id, name, type, version, revision, description, createdAt, updatedAt } = variable
  const base = baseOf(variable.base)
  return {
    number,
    id,
    name,
    type,
    base,
    value: fromValue(variable.value, base),
    version,
    revision,
    constraints: fromConstraints(variable.constraintsJson),
    description,
    metadata: fromMetadata(variable.metadataJson) ?? {},
    createdAt,
    updatedAt,
  }
}

function baseOf(base: string): TypeName {
  if (isTypeName(base)) return base
  throw new BeamlineError('INVALID_TYPE', `Unknown type: ${base}`, { details: { type: base } })
}

export function toEntry({ version, value, revision, timestamp, metadata }: HistoryEntry): wire.Entry {
  return { version, value: toValue(value), revision, timestamp, metadataJson: toMetadata(metadata) }
}

/** @throws BeamlineError INVALID_TYPE for what is malformed */
export function fromEntry(
  { version, value, revision, timestamp, metadataJson }: wire.Entry,
  base?: TypeName,
): HistoryEntry {
  return { version, value: fromValue(value, base), revision, timestamp, metadata: fromMetadata(metadataJson) ?? {} }
}

export function toState({ incarnation, revision, variables, histories = {}, leases = {} }: SessionState): wire.State {
  return {
    incarnation,
    revision,
    variables: variables.map((info) => {
      const history = Object.hasOwn(histories, info.name) ? histories[info.name] : undefined
      const lease = Object.hasOwn(leases, info.name) ? leases[info.name] : undefined
      return {
        variable: toVariable(info),
        history: (history ?? []).map(toEntry),
        lease: lease && { ...lease, released: false },
      }
    }),
  }
}

/** @throws BeamlineError INVALID_TYPE, CONSTRAINT for what is malformed */
export function fromState({ incarnation, revision, variables }: wire.State): SessionState {
  const infos: NumberedInfo[] = []
  const histories: [string, HistoryEntry[]][] = []
  const leases: [string, Lease][] = []
  for (const { variable, history, lease } of variables) {
    if (variable === undefined) throw new BeamlineError('INVALID_TYPE', 'a variable of the state is missing')
    const info = fromVariable(variable)
    infos.push(info)
    if (lease !== undefined) leases.push([info.name, { holder: lease.holder, token: lease.token, since: lease.since }])
    if (history.length > 0) histories.push([info.name, history.map((entry) => fromEntry(entry, info.base))])
  }
  const state = { incarnation, revision, variables: infos }
  return {
    ...state,
    ...(histories.length > 0 && { histories: Object.fromEntries(histories) }),
    ...(leases.length > 0 && { leases: Object.fromEntries(leases) }),
  }
}

const ops = { define: wire.Op.OP_DEFINE, set: wire.Op.OP_SET, delete: wire.Op.OP_DELETE } as const

/** @param conflated how many older events this one stands for as well */
export function toEvent(event: CommitEvent, conflated = 0): wire.Event {
  const { op, number, said, revision, version, timestamp, more, info } = event
  return {
    revision,
    op: ops[op],
    number,
    version,
    // A definition has the value in `defined`.
    value: op === 'set' ? toValue(event.value) : undefined,
    timestamp,
    metadataJson: toMetadata(said),
    conflated,
    more,
    defined: info && toVariable(info),
    previous: undefined,
  }
}

/** What its receiver knows of the variable of an event that is no definition. */
export type Known = Pick<NumberedInfo, 'id' | 'name' | 'base' | 'value'>

/**
 * @param known what is known of the variable before this event; its value becomes `previous`, which is not on the wire
 * @throws BeamlineError INVALID_TYPE for what is malformed, or about a variable that is not known
 */
export function fromEvent(event: wire.Event, known: Known | undefined): CommitEvent {
  const { number, revision, version, timestamp, more } = event
  const rest = { number, said: fromMetadata(event.metadataJson), revision, version, timestamp, more }
  if (event.op === wire.Op.OP_DEFINE && event.defined !== undefined) {
    const info = fromVariable(event.defined)
    return { op: 'define', id: info.id, name: info.name, value: info.value, previous: undefined, ...rest, info }
  }
  if (known === undefined || (event.op !== wire.Op.OP_SET && event.op !== wire.Op.OP_DELETE)) {
    const text = `revision ${revision} is about the variable ${number}, of which nothing is known`
    throw new BeamlineError('INVALID_TYPE', text, { details: { revision, number } })
  }
  const { id, name, base, value: previous } = known
  if (event.op === wire.Op.OP_DELETE) return { op: 'delete', id, name, value: undefined, previous, ...rest }
  return { op: 'set', id, name, value: fromValue(event.value, base), previous, ...rest }
}

/** Says of an error that is none of ours only that there was one. */
export function toFailure(error: unknown): wire.Failure {
  if (!(error instanceof BeamlineError)) return { code: 'INTERNAL', message: 'the server failed', detailsJson: '' }
  const { code, message, details } = error
  return { code, message, detailsJson: writeJsonLoosely(details) }
}

export function fromFailure({ code, message, detailsJson }: wire.Failure): BeamlineError {
  const details = detailsOf(detailsJson)
  if (isErrorCode(code)) return new BeamlineError(code, message, { details })
  // Of a newer server, or of one that has a bug.
  return new BeamlineError('CORRUPT', message, { details: { ...details, code } })
}

function detailsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return text === '' ? {} : objectOf(text, 'details')
  } catch {
    return {}
  }
}

const codes: Readonly<Record<ErrorCode, true>> = {
  NOT_FOUND: true,
  ALREADY_EXISTS: true,
  ALREADY_REGISTERED: true,
  INVALID_TYPE: true,
  CONSTRAINT: true,
  VERSION_CONFLICT: true,
  NOPROC: true,
  CALL_TIMEOUT: true,
  MAILBOX_FULL: true,
  OVERFLOW: true,
  UNAVAILABLE: true,
  UNAUTHENTICATED: true,
  COMPACTED: true,
  NOT_CLONEABLE: true,
  BAD_ENTRY: true,
  STOPPED: true,
  CORRUPT: true,
  PERMISSION_DENIED: true,
  LOCKED: true,
  EXHAUSTED: true,
}

/** Whether there is an error code of that name here. */
export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(codes, code)

function objectOf(text: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = readJson(text)
  } catch (cause) {
    throw new BeamlineError('INVALID_TYPE', `${what} is no JSON`, { cause })
  }
  if (isPlainObject(value)) return value
  throw new BeamlineError('INVALID_TYPE', `${what} must be a JSON object`)
}
