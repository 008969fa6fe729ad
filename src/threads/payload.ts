import type { TransferListItem } from 'node:worker_threads'
import { decodeError, encodeError } from './error-codec.js'
import { Pid, Ref } from './pid.js'
import { type CopyPolicy, notCloneable, TreeCopier } from './tree-copier.js'

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
  const packed = pack(value, transfer)
  return unpack({ data: structuredClone(packed.data, { transfer: transfer as never }), tagged: packed.tagged })
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

  special(object: object, path: string, copyPart: (part: unknown, path: string) => unknown): unknown {
    if (object instanceof Pid) return this.#tag('pid', [object.node, ...object.raw])
    if (object instanceof Ref) return this.#tag('ref', [object.node, ...object.raw])
    if (object instanceof Error) return this.#tag('error', encodeError(object, lenient(path, copyPart)))
    if (!Object.hasOwn(object, TAG)) return undefined
    return this.#tag(
      'literal',
      Object.entries(object).map(([key, part]) => [key, copyPart(part, key)]),
    )
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
  special(object, path, copyPart) {
    if (!Object.hasOwn(object, TAG)) return undefined
    const { [TAG]: kind, parts } = object as unknown as { [TAG]: string; parts: unknown }
    if (kind === 'pid') return new Pid(...(parts as ConstructorParameters<typeof Pid>))
    if (kind === 'ref') return new Ref(...(parts as ConstructorParameters<typeof Ref>))
    if (kind === 'error') return decodeError(parts as Record<string, unknown>, (part) => copyPart(part, path))
    return Object.fromEntries((parts as [string, unknown][]).map(([key, part]) => [key, copyPart(part, key)]))
  },
  exotic: (object) => object,
}

const copying: CopyPolicy = {
  literals: false,
  special(object, path, copyPart) {
    if (object instanceof Pid || object instanceof Ref) return object
    if (object instanceof Error) return decodeError(encodeError(object, lenient(path, copyPart)), (part) => part)
    return undefined
  },
  exotic: cloned,
}

/** An error is worth more than its unclonable extras: those are described in words. */
function lenient(path: string, copyPart: (part: unknown, path: string) => unknown) {
  return (part: unknown, key: string): unknown => {
    try {
      return copyPart(part, `${path}.${key}`)
    } catch {
      return String(part)
    }
  }
}

function cloned(object: object, path: string): unknown {
  try {
    return structuredClone(object)
  } catch (cause) {
    throw notCloneable(object, path, cause)
  }
}
