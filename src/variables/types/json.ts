import { MAX_NESTING } from '../nesting.js'
import { isPlainObject, kindOf } from './refusal.js'
import type { JsonValue } from './value-types.js'

/** Why and where a value is not JSON. */
export class NotJson extends Error {}

/**
 * Copies a JSON value, so that nothing its writer does to it later is seen. A property that is `undefined` is left out
 * as `JSON.stringify` does; everything else that JSON cannot say is refused.
 * @throws NotJson
 */
export function copyJson(value: unknown): JsonValue {
  return new JsonCopier().copy(value)
}

class JsonCopier {
  readonly #trail: (string | number)[] = []
  readonly #above = new Set<object>()

  copy(value: unknown): JsonValue {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : this.#refuse(String(value))
    if (Array.isArray(value)) return this.#inside(value, () => this.#items(value))
    if (isPlainObject(value)) return this.#inside(value, () => this.#properties(value))
    return this.#refuse(kindOf(value))
  }

  #items(array: readonly unknown[]): JsonValue[] {
    const copy: JsonValue[] = []
    // By index: `map` would step over holes, and leave them.
    for (let at = 0; at < array.length; at++) copy.push(this.#part(at, array[at]))
    return copy
  }

  #properties(object: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
    const copy: Record<string, JsonValue> = {}
    for (const key of Object.keys(object)) {
      // Whoever copied the value on with `copy[key] = …` would replace a prototype.
      if (key === '__proto__') this.#refuse("an object with the key '__proto__'")
      const part = object[key]
      if (part !== undefined) copy[key] = this.#part(key, part)
    }
    return copy
  }

  #part(key: string | number, part: unknown): JsonValue {
    this.#trail.push(key)
    const copy = this.copy(part)
    this.#trail.pop()
    return copy
  }

  #inside<Copy>(object: object, copyParts: () => Copy): Copy {
    if (this.#above.has(object)) this.#refuse('a cycle')
    if (this.#above.size === MAX_NESTING) throw new NotJson(`must not be nested deeper than ${MAX_NESTING} levels`)
    this.#above.add(object)
    const copy = copyParts()
    this.#above.delete(object)
    return copy
  }

  #refuse(what: string): never {
    const place = this.#trail.length === 0 ? '' : ` at ${pathOf(this.#trail)}`
    throw new NotJson(`must be a JSON value, got ${what}${place}`)
  }
}

/** `items[2].name` */
export function pathOf(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`
    return path === '' ? String(key) : `${path}.${String(key)}`
  }, '')
}
