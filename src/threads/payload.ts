import type { TransferListItem } from 'node:worker_threads'
import { blankError, fillError, partsOf } from './error-codec.js'
import { Pid, Ref } from './pid.js'
import { type CopyPolicy, join, notCloneable, setPart, TreeCopier } from './tree-copier.js'

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
 * @throws BeamlineError NOT_CLONEABLE, naming the path of the first part that cannot cross (a function, a promise…)
 */
export function pack(value: unknown, transfer?: Transfer): Payload {
  if (isPlain(value, { left: PLAIN_BUDGET })) return { data: value, tagged: false }
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
 * @throws BeamlineError NOT_CLONEABLE, as {@link pack}
 */
export function copy(value: unknown, transfer?: Transfer): unknown {
  if (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') return value
  if (transfer === undefined) return new TreeCopier(copying).copy(value)
  const { data, tagged } = pack(value, transfer)
  return unpack({ data: moved(data, transfer), tagged })
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
    if (object instanceof Pid) return this.#tag('pid', [object.node, ...object.raw])
    if (object instanceof Ref) return this.#tag('ref', [object.node, ...object.raw])
    if (object instanceof Error) {
      const parts: Record<string, unknown> = {}
      const stand = copier.remember(object, this.#tag('error', parts))
      for (const [key, part] of Object.entries(partsOf(object))) parts[key] = described(part, join(path, key), copier)
      return stand
    }
    if (!Object.hasOwn(object, TAG)) return undefined
    const entries: [string, unknown][] = []
    const stand = copier.remember(object, this.#tag('literal', entries))
    for (const [key, part] of Object.entries(object)) entries.push([key, copier.copy(part, join(path, key))])
    return stand
  }

  exotic(object: object, path: string): unknown {
    const sendable = ArrayBuffer.isView(object) || object instanceof ArrayBuffer || object instanceof SharedArrayBuffer
    return sendable || this.#transfer?.includes(object as never) ? object : cloned(object, path)
  }

  #tag(kind: string, parts: unknown): object {
    this.tagged = true
    return { [TAG]: kind, parts }
  }
}

const decoding: CopyPolicy = {
  literals: true,
  special(object, path, copier) {
    if (!Object.hasOwn(object, TAG)) return undefined
    const { [TAG]: kind, parts } = object as unknown as { [TAG]: string; parts: unknown }
    if (kind === 'pid') return new Pid(...(parts as ConstructorParameters<typeof Pid>))
    if (kind === 'ref') return new Ref(...(parts as ConstructorParameters<typeof Ref>))
    if (kind === 'error') {
      const found = parts as Record<string, unknown>
      return fillError(copier.remember(object, blankError(found)), found, (part) => copier.copy(part, path))
    }
    const literal = copier.remember(object, {})
    for (const [key, part] of parts as [string, unknown][]) setPart(literal, key, copier.copy(part, path))
    return literal
  },
  exotic: (object) => object,
}

const copying: CopyPolicy = {
  literals: false,
  special(object, path, copier) {
    if (object instanceof Pid || object instanceof Ref) return object
    if (!(object instanceof Error)) return undefined
    const parts = partsOf(object)
    const copied = copier.remember(object, blankError(parts))
    return fillError(copied, parts, (part, key) => described(part, join(path, key), copier))
  },
  exotic: cloned,
}

/** A part of an error. The error is worth more than its unclonable extras: those are described in words. */
function described(part: unknown, path: string, copier: TreeCopier): unknown {
  try {
    return copier.copy(part, path)
  } catch {
    return inWords(part)
  }
}

function inWords(value: unknown): string {
  try {
    return String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
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
