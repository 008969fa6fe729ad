import { BeamlineError } from '../errors.js'

/** What to do with the objects that are no plain containers. */
export interface CopyPolicy {
  /**
   * A stand-in for `object`, or `undefined` when it is nothing special. One that has parts is remembered before they are
   * copied, as they may lead back to the object.
   */
  special(object: object, path: string, copier: TreeCopier): unknown
  /** What stands for an object that is neither special nor a container: a date, a buffer, a promise… */
  exotic(object: object, path: string): unknown
  /** Whether `special` is asked about object literals too. */
  readonly literals: boolean
}

/**
 * Copies a tree of values as structured clone does (cycles and shared parts kept, class instances become literals), and
 * lets a policy decide about every object that is no plain container.
 */
export class TreeCopier {
  readonly #policy: CopyPolicy
  #seen: Map<object, unknown> | undefined

  constructor(policy: CopyPolicy) {
    this.#policy = policy
  }

  copy(value: unknown, path = ''): unknown {
    if (typeof value === 'object') return value === null ? null : this.#object(value, path)
    if (typeof value === 'function' || typeof value === 'symbol') throw notCloneable(value, path)
    return value
  }

  /** From now on `copied` stands for `object` wherever it is met. */
  remember<T>(object: object, copied: T): T {
    this.#seen ??= new Map()
    this.#seen.set(object, copied)
    return copied
  }

  #object(object: object, path: string): unknown {
    const before = this.#seen?.get(object)
    if (before !== undefined) return before
    if (Array.isArray(object)) return this.#array(object, path)
    const literal = Object.getPrototypeOf(object) === Object.prototype
    if (!literal || this.#policy.literals) {
      const stand = this.#policy.special(object, path, this)
      if (stand !== undefined) return this.remember(object, stand)
    }
    if (object instanceof Map) return this.#map(object, path)
    if (object instanceof Set) return this.#set(object, path)
    if (literal || Object.prototype.toString.call(object) === '[object Object]') return this.#record(object, path)
    return this.remember(object, this.#policy.exotic(object, path))
  }

  #array(array: readonly unknown[], path: string): unknown[] {
    const out: unknown[] = this.remember(array, new Array(array.length))
    for (let i = 0; i < array.length; i++) {
      const item = array[i]
      out[i] = typeof item === 'number' ? item : this.copy(item, `${path}[${i}]`)
    }
    return out
  }

  #record(object: object, path: string): object {
    const out: Record<string, unknown> = this.remember(object, {})
    for (const [key, part] of Object.entries(object)) {
      const primitive = typeof part !== 'object' && typeof part !== 'function' && typeof part !== 'symbol'
      const value = primitive ? part : this.copy(part, join(path, key))
      setPart(out, key, value)
    }
    return out
  }

  #map(map: ReadonlyMap<unknown, unknown>, path: string): Map<unknown, unknown> {
    const out = this.remember(map, new Map<unknown, unknown>())
    for (const [key, part] of map) out.set(this.copy(key, `${path}(key)`), this.copy(part, join(path, String(key))))
    return out
  }

  #set(set: ReadonlySet<unknown>, path: string): Set<unknown> {
    const out = this.remember(set, new Set<unknown>())
    for (const part of set) out.add(this.copy(part, `${path}(member)`))
    return out
  }
}

/** Sets an own property, of any name. */
export function setPart(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true })
  else record[key] = value
}

export const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** The refusal of a value that no message can carry. */
export function notCloneable(value: unknown, path: string, cause?: unknown): BeamlineError {
  const what =
    typeof value === 'object' ? `a ${Object.prototype.toString.call(value).slice(8, -1)}` : `a ${typeof value}`
  const where = path === '' ? 'the message' : `the message's part ${path}`
  return new BeamlineError(
    'NOT_CLONEABLE',
    `${where} is ${what}, which no message can carry: send plain data, and name code by its module and export`,
    { details: { path }, cause },
  )
}
