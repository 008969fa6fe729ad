import { randomBytes } from 'node:crypto'
import { MAX_NESTING } from '../../variables/nesting.js'
import { isPlainObject, kindOf } from '../../variables/types/refusal.js'

/** A string of a JSON text, or an integer of so many digits that a double may not hold it. */
const stringOrLongInteger = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g
const hasLongInteger = /\d{16}/

/**
 * Parses a JSON text without losing an integer: those beyond 2^53 become bigints.
 * @throws SyntaxError for what is no JSON
 */
export function readJson(text: string): unknown {
  const plain: unknown = JSON.parse(text)
  if (!hasLongInteger.test(text)) return plain
  // No string of the text begins so.
  const mark = randomBytes(16).toString('hex')
  let found = false
  const marked = text.replace(stringOrLongInteger, (token) => {
    if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token
    found = true
    return `"${mark}${token}"`
  })
  if (!found) return plain
  return JSON.parse(marked, (_, part) =>
    typeof part === 'string' && part.startsWith(mark) ? BigInt(part.slice(mark.length)) : part,
  )
}

/** What JSON has no way to say. */
export class NoJson extends Error {}

/** How {@link writeJson} says what JSON has no numbers for. */
export type Specials =
  /** As the strings "NaN", "Infinity" and "-Infinity". */
  | 'strings'
  /** Infinities as numbers so large that every reader makes infinities of them; NaN as a string. */
  | 'large'
  | 'refuse'

/**
 * The JSON text of plain data, in which bigints are integers, typed arrays are arrays, and -0 keeps its sign. Properties
 * that are `undefined` are left out.
 * @throws NoJson for anything else
 */
export function writeJson(value: unknown, specials: Specials = 'refuse'): string {
  return new JsonWriter(specials).text(value)
}

/** As {@link writeJson}, for words of which as much as can be said is better than nothing. */
export function writeJsonLoosely(value: unknown): string {
  return new JsonWriter('large', true).text(value)
}

class JsonWriter {
  readonly #specials: Specials
  readonly #loose: boolean
  readonly #above = new Set<object>()

  constructor(specials: Specials, loose = false) {
    this.#specials = specials
    this.#loose = loose
  }

  text(value: unknown): string {
    if (value === null) return 'null'
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
      case 'bigint':
        return String(value)
      case 'object':
        return this.#inside(value)
      default:
        return this.#other(value)
    }
  }

  #number(value: number): string {
    if (Number.isFinite(value)) return spelled(value)
    if (this.#specials === 'refuse') throw new NoJson(`must be a JSON value, got ${value}`)
    if (this.#specials === 'large' && !Number.isNaN(value)) return value < 0 ? '-1e999' : '1e999'
    return `"${value}"`
  }

  #inside(value: object): string {
    if (this.#above.has(value)) return this.#loose ? 'null' : this.#refuse('a cycle')
    if (this.#above.size === MAX_NESTING) return this.#tooDeep()
    this.#above.add(value)
    const text = this.#parts(value)
    this.#above.delete(value)
    return text
  }

  #parts(value: object): string {
    if (Array.isArray(value)) return this.#list(value)
    if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      return this.#list(value as unknown as ArrayLike<unknown>)
    if (isPlainObject(value)) return this.#object(Object.entries(value))
    return this.#other(value)
  }

  #list(list: ArrayLike<unknown>): string {
    return `[${Array.from(list, (part) => (part === undefined && this.#loose ? 'null' : this.text(part))).join()}]`
  }

  #object(entries: readonly (readonly [string, unknown])[]): string {
    const there = entries.filter(([, part]) => part !== undefined)
    return `{${there.map(([key, part]) => `${JSON.stringify(key)}:${this.text(part)}`).join()}}`
  }

  #other(value: unknown): string {
    if (!this.#loose) return this.#refuse(kindOf(value))
    if (value instanceof RegExp) return JSON.stringify(value.source)
    if (value instanceof Date) return JSON.stringify(value)
    if (value instanceof Map) return this.#object([...value].map(([key, part]) => [String(key), part]))
    if (value instanceof Set) return this.#list([...value])
    if (value instanceof Error) return JSON.stringify(value.message)
    return 'null'
  }

  #tooDeep(): string {
    if (this.#loose) return 'null'
    throw new NoJson(`must not be nested deeper than ${MAX_NESTING} levels`)
  }

  #refuse(what: string): never {
    throw new NoJson(`must be a JSON value, got ${what}`)
  }
}

/** So that a reader who knows integers from floats by their spelling takes it for a float where only that is exact. */
function spelled(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes('e') ? `${text}.0` : text
}
