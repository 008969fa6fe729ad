import { types } from 'node:util'
import { BeamlineError } from '../errors.js'

/**
 * How many objects deep a message may be nested. Copying is recursive, structured clone too: on main's stack, which is
 * the smallest, it takes 1900 levels of literals, and errors inside errors 1000. The sender may have used up half of that
 * stack itself. What is deeper would be lost at its receiver; so its sender is told, wherever the receiver lives.
 */
export const MAX_DEPTH = 500

/** So many objects are looked through faster than a map finds one. */
const FEW = 16

/** Whether nobody can change it, so that it is its own copy. A symbol is no such value, as no message can carry it. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

/** An object that has been met, and what stands for it. */
interface Met {
  readonly object: object
  readonly copied: unknown
  readonly before: Met | undefined
  /** How many have been met with it. */
  readonly count: number
}

function* all(last: Met): Iterable<[object, Met]> {
  for (let met: Met | undefined = last; met !== undefined; met = met.before) yield [met.object, met]
}

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
  /** The last object met, and before it all others. */
  #met: Met | undefined
  /** Every one of them, once there are too many to look through. */
  #index: Map<object, Met> | undefined
  #depth = 0

  constructor(policy: CopyPolicy) {
    this.#policy = policy
  }

  copy(value: unknown, path = ''): unknown {
    if (typeof value === 'object') return value === null ? null : this.#object(value, path)
    if (typeof value === 'function' || typeof value === 'symbol') throw notCloneable(value, path)
    return value
  }

  /**
   * A copy of `value`, or what `otherwise` says when it cannot be copied. Its parts that were copied before that are
   * forgotten: met again elsewhere, a half copy would be taken for a whole one.
   */
  attempt(value: unknown, path: string, otherwise: (value: unknown) => unknown): unknown {
    const before = this.#met
    const depth = this.#depth
    try {
      return this.copy(value, path)
    } catch {
      this.#depth = depth
      for (; this.#met !== before; this.#met = this.#met?.before) this.#index?.delete(this.#met?.object as object)
      return otherwise(value)
    }
  }

  /** From now on `copied` stands for `object` wherever it is met. */
  remember<T>(object: object, copied: T): T {
    const met: Met = { object, copied, before: this.#met, count: (this.#met?.count ?? 0) + 1 }
    this.#met = met
    if (this.#index !== undefined) this.#index.set(object, met)
    else if (met.count > FEW) this.#index = new Map(all(met))
    return copied
  }

  #find(object: object): Met | undefined {
    if (this.#index !== undefined) return this.#index.get(object)
    let met = this.#met
    while (met !== undefined && met.object !== object) met = met.before
    return met
  }

  #object(object: object, path: string): unknown {
    const met = this.#find(object)
    if (met !== undefined) return met.copied
    if (types.isProxy(object)) throw notCloneable(object, path)
    if (++this.#depth > MAX_DEPTH) throw tooDeep(path)
    let copied: unknown
    if (Array.isArray(object)) copied = this.#array(object, path)
    else if (Object.getPrototypeOf(object) === Object.prototype && !this.#policy.literals)
      copied = this.#record(object, path)
    else copied = this.#other(object, path)
    this.#depth--
    return copied
  }

  #other(object: object, path: string): unknown {
    const stand = this.#policy.special(object, path, this)
    if (stand !== undefined) return stand === object ? stand : this.remember(object, stand)
    if (object instanceof Map) return this.#map(object, path)
    if (object instanceof Set) return this.#set(object, path)
    if (tagOf(object) === 'Object') return this.#record(object, path)
    const copied = this.#policy.exotic(object, path)
    // An instance of a class that only calls itself something else.
    if (Object.getPrototypeOf(copied) === Object.prototype) return this.#record(object, path)
    return this.remember(object, copied)
  }

  #array(array: readonly unknown[], path: string): unknown[] {
    const out: unknown[] = this.remember(array, new Array(array.length))
    for (let i = 0; i < array.length; i++) {
      const item = array[i]
      out[i] = isPrimitive(item) ? item : this.copy(item, `${path}[${i}]`)
    }
    return out
  }

  #record(object: object, path: string): object {
    const out: Record<string, unknown> = {}
    // Nothing leads back to the outermost object before one of its parts is copied: most messages have none.
    let remembered = this.#depth > 1
    if (remembered) this.remember(object, out)
    // Without a list of its keys: they are read faster.
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue
      const part = (object as Record<string, unknown>)[key]
      if (isPrimitive(part)) setPart(out, key, part)
      else {
        if (!remembered) this.remember(object, out)
        remembered = true
        setPart(out, key, this.copy(part, join(path, key)))
      }
    }
    return out
  }

  #map(map: ReadonlyMap<unknown, unknown>, path: string): Map<unknown, unknown> {
    const out = this.remember(map, new Map<unknown, unknown>())
    for (const [key, part] of map) {
      const name = typeof key === 'object' ? '(value)' : String(key)
      out.set(this.copy(key, `${path}(key)`), this.copy(part, join(path, name)))
    }
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
  return new BeamlineError(
    'NOT_CLONEABLE',
    `${partAt(path)} is ${kindOf(value)}, which no message can carry: send plain data, and name code by its module and export`,
    { details: { path }, cause },
  )
}

function tooDeep(path: string): BeamlineError {
  return new BeamlineError(
    'NOT_CLONEABLE',
    `${partAt(path)} lies more than ${MAX_DEPTH} objects deep, which no message can carry: send a flat list, or a text made of it`,
    { details: { path: beginning(path), limit: MAX_DEPTH } },
  )
}

function kindOf(value: unknown): string {
  if (types.isProxy(value)) return 'a Proxy'
  return typeof value === 'object' ? `a ${tagOf(value)}` : `a ${typeof value}`
}

function tagOf(object: unknown): string {
  try {
    return Object.prototype.toString.call(object).slice(8, -1)
  } catch {
    return 'Object'
  }
}

const partAt = (path: string): string => (path === '' ? 'the message' : `the message's part ${beginning(path)}`)

const beginning = (path: string): string => (path.length > 100 ? `${path.slice(0, 100)}…` : path)
