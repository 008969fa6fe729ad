import { types } from 'node:util'
import type { TransferListItem } from 'node:worker_threads'
import { shown } from '../errors.js'
import { blankError, fillError, isError, partsOf } from './error-codec.js'
import { Alias, Pid, Ref } from './pid.js'
import { type CopyPolicy, isPrimitive, join, notCloneable, setPart, TreeCopier } from './tree-copier.js'

/**
 * A user's value made ready to leave its thread. Structured clone carries most things by itself; what it would spoil
 * (pids and references lose their methods, errors their code) stands in `data` as a tagged object, and `tagged` tells
 * the receiver whether it has to look for any.
 */
export interface Payload {
  readonly data: unknown
  readonly tagged: boolean
}

/** What may be moved instead of copied, as in `postMessage`. */
export type Transfer = readonly TransferListItem[]

const TAG = '\u0000beamline'
const PLAIN_BUDGET = 256

/**
 * Makes `value` ready to cross threads.
 * @throws BeamlineError NOT_CLONEABLE, naming the path of the first part that cannot cross (a function, a promise, an
 * object more than {@link MAX_DEPTH} deep…)
 */
export function pack(value: unknown, transfer?: Transfer): Payload {
  if (needsNoCopy(value)) return { data: value, tagged: false }
  const policy = new Encoding(transfer)
  const data = new TreeCopier(policy).copy(value)
  return { data, tagged: policy.tagged }
}

/** Gives pids, references and errors inside a received payload their form back. */
export function unpack(payload: Payload): unknown {
  return payload.tagged ? new TreeCopier(decoding).copy(payload.data) : payload.data
}

/**
 * What `unpack(pack(value))` on another thread would give, for a message that stays on its thread: the sender may go
 * on changing its own object.
 * @param path where it stands in the message, for errors
 * @throws BeamlineError NOT_CLONEABLE, as {@link pack}
 */
export function copy(value: unknown, transfer?: Transfer, path = ''): unknown {
  if (isPrimitive(value)) return value
  if (transfer === undefined) return new TreeCopier(copying).copy(value, path)
  const { data, tagged } = pack(value, transfer)
  return unpack({ data: moved(data, transfer), tagged })
}

function needsNoCopy(value: unknown): boolean {
  try {
    return isPlain(value, { left: PLAIN_BUDGET })
  } catch {
    // A revoked proxy, or a getter that throws: the copy will say which.
    return false
  }
}

/** True for small trees of primitives, arrays and object literals: most messages, which then need no copy here. */
function isPlain(value: unknown, budget: { left: number }): boolean {
  if (typeof value !== 'object') return typeof value !== 'function' && typeof value !== 'symbol'
  if (value === null) return true
  if (Array.isArray(value)) {
    if (--budget.left < 0) return false
    for (const item of value) if (typeof item !== 'number' && !isPlain(item, budget)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || TAG in value) return false
  if (--budget.left < 0) return false
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], budget)) return false
  return true
}

class Encoding implements CopyPolicy {
  readonly literals = true
  readonly #transfer: Transfer | undefined
  tagged = false

  constructor(transfer: Transfer | undefined) {
    this.#transfer = transfer
  }

  special(object: object, path: string, copier: TreeCopier): unknown {
    if (object instanceof Pid) return { ...this.#tagged('pid'), parts: [object.node, ...object.raw] }
    if (object instanceof Ref) return { ...this.#tagged('ref'), parts: [object.node, ...object.raw] }
    if (object instanceof Alias) return { ...this.#tagged('alias'), parts: Object.values(object) }
    if (isError(object)) {
      const stand = copier.remember(object, this.#tagged('error'))
      for (const [key, part] of Object.entries(partsOf(object))) {
        setPart(stand, escaped(key), copier.attempt(part, join(path, key), shown))
      }
      return stand
    }
    if (!Object.hasOwn(object, TAG)) return undefined
    const stand = copier.remember(object, this.#tagged('literal'))
    for (const [key, part] of Object.entries(object)) setPart(stand, escaped(key), copier.copy(part, join(path, key)))
    return stand
  }

  exotic(object: object, path: string): unknown {
    return isMemory(object) || this.#transfer?.includes(object as never) ? object : cloned(object, path)
  }

  #tagged(kind: string): Record<string, unknown> {
    this.tagged = true
    return { [TAG]: kind }
  }
}

/** Memory that cloning takes as it is; not what has been transferred away, which it refuses. */
function isMemory(object: object): boolean {
  const buffer = ArrayBuffer.isView(object) ? object.buffer : object
  return types.isSharedArrayBuffer(buffer) || (types.isArrayBuffer(buffer) && isHere(buffer))
}

function isHere(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return true
  try {
    return new Uint8Array(buffer).length === 0
  } catch {
    return false
  }
}

/** A tagged object has its parts beside the tag, so that it is nested no deeper than what it stands for. */
const escaped = (key: string): string => (key.startsWith(TAG) ? TAG + key : key)

function* partsBeside(stand: object): Iterable<[key: string, part: unknown]> {
  for (const [key, part] of Object.entries(stand)) {
    if (key !== TAG) yield [key.startsWith(TAG) ? key.slice(TAG.length) : key, part]
  }
}

const decoding: CopyPolicy = {
  literals: true,
  special(object, path, copier) {
    if (!Object.hasOwn(object, TAG)) return undefined
    const { [TAG]: kind, parts } = object as unknown as { [TAG]: string; parts: unknown }
    if (kind === 'pid') return new Pid(...(parts as ConstructorParameters<typeof Pid>))
    if (kind === 'ref') return new Ref(...(parts as ConstructorParameters<typeof Ref>))
    if (kind === 'alias') return new Alias(...(parts as ConstructorParameters<typeof Alias>))
    if (kind === 'error') {
      const found: Record<string, unknown> = {}
      for (const [key, part] of partsBeside(object)) setPart(found, key, part)
      return fillError(copier.remember(object, blankError(found)), found, (part) => copier.copy(part, path))
    }
    const literal = copier.remember(object, {})
    for (const [key, part] of partsBeside(object)) setPart(literal, key, copier.copy(part, path))
    return literal
  },
  exotic: (object) => object,
}

const copying: CopyPolicy = {
  literals: false,
  special(object, path, copier) {
    if (object instanceof Pid || object instanceof Ref || object instanceof Alias) return object
    if (!isError(object)) return undefined
    const parts = partsOf(object)
    const copied = copier.remember(object, blankError(parts))
    // The error is worth more than its unclonable extras: those are described in words.
    return fillError(copied, parts, (part, key) => copier.attempt(part, join(path, key), shown))
  },
  exotic: cloned,
}

/**
 * A structured clone, with what it transfers.
 * @throws BeamlineError NOT_CLONEABLE
 */
export function moved(data: unknown, transfer: Transfer = []): unknown {
  try {
    return structuredClone(data, { transfer: transfer as never })
  } catch (cause) {
    throw notCloneable(data, '', cause)
  }
}

function cloned(object: object, path: string): unknown {
  try {
    return structuredClone(object)
  } catch (cause) {
    throw notCloneable(object, path, cause)
  }
}
