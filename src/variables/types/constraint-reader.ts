import { isDeepStrictEqual } from 'node:util'
import { BeamlineError } from '../../errors.js'
import { isPlainObject, kindOf } from './refusal.js'

/** A regular expression and how it was written. */
export interface Pattern {
  readonly source: string
  readonly expression: RegExp
}

/**
 * Reads the constraints of one definition, and refuses those that are not of their form. A key with `null` or
 * `undefined` counts as absent: programs in other languages write their empty options so.
 */
export class ConstraintReader {
  /** The variable's name. */
  readonly name: string
  /** The declared type's name. */
  readonly type: string
  /** All that was given, unknown keys too. */
  readonly given: Readonly<Record<string, unknown>>

  constructor(name: string, type: string, given: unknown) {
    this.name = name
    this.type = type
    if (!isPlainObject(given)) this.refuse(`they must be an object such as { min: 0 }, not ${kindOf(given)}`)
    this.given = Object.freeze({ ...given })
  }

  /** @throws BeamlineError CONSTRAINT, always: `words` say what would be right */
  refuse(words: string, cause?: unknown): never {
    const message = `Invalid constraints for ${this.name} (${this.type}): ${words}`
    const details = { name: this.name, type: this.type }
    throw new BeamlineError('CONSTRAINT', message, cause === undefined ? { details } : { cause, details })
  }

  number(key: string): number | bigint | undefined {
    const value = this.#value(key)
    if (value === undefined || typeof value === 'bigint') return value
    if (typeof value !== 'number' || Number.isNaN(value))
      return this.refuse(`${key} must be a number, not ${shown(value)}`)
    return value
  }

  /** A whole number, `least` or more; the keys are synonyms. */
  count(least: number, ...keys: readonly string[]): number | undefined {
    const value = this.#value(...keys)
    if (value === undefined || isCount(value, least)) return value
    return this.refuse(`${keys[0]} must be a whole number, ${least} or more, not ${shown(value)}`)
  }

  counts(key: string): readonly number[] | undefined {
    const value = this.#value(key)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((part) => isCount(part, 0))) return Object.freeze([...(value as number[])])
    return this.refuse(`${key} must be an array of whole numbers, 0 or more`)
  }

  flag(key: string): boolean {
    const value = this.#value(key) ?? false
    return typeof value === 'boolean' ? value : this.refuse(`${key} must be true or false, not ${shown(value)}`)
  }

  text(key: string): string | undefined {
    const value = this.#value(key)
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    return this.refuse(`${key} must be a string with at least one character, not ${shown(value)}`)
  }

  /** The strings without repetitions; the keys are synonyms. */
  strings(...keys: readonly string[]): readonly string[] | undefined {
    const value = this.#value(...keys)
    if (value === undefined) return undefined
    if (!Array.isArray(value) || !value.every((part) => typeof part === 'string')) {
      return this.refuse(`${keys[0]} must be an array of strings`)
    }
    if (value.length === 0)
      this.refuse(`${keys[0]} must not be empty, as no value would fit: leave it out to allow all`)
    return Object.freeze([...new Set<string>(value)])
  }

  pattern(key: string): Pattern | undefined {
    const value = this.#value(key)
    if (value === undefined) return undefined
    // A global or sticky expression would remember where its last search ended.
    if (value instanceof RegExp) {
      return { source: value.source, expression: new RegExp(value.source, value.flags.replace(/[gy]/g, '')) }
    }
    if (typeof value !== 'string') return this.refuse(`${key} must be a regular expression, not ${shown(value)}`)
    return { source: value, expression: this.#compile(key, value) }
  }

  object(key: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#value(key)
    return value === undefined || isPlainObject(value) ? value : this.refuse(`${key} must be an object`)
  }

  #compile(key: string, source: string): RegExp {
    try {
      return new RegExp(source, 'u')
    } catch {
      // Unicode mode refuses needless escapes such as `\-`, which other languages' expressions are full of.
      try {
        return new RegExp(source)
      } catch (cause) {
        return this.refuse(`${key} must be a regular expression: ${(cause as SyntaxError).message}`, cause)
      }
    }
  }

  #value(...keys: readonly string[]): NonNullable<unknown> | undefined {
    const [first, ...others] = keys.filter((key) => Object.hasOwn(this.given, key) && this.given[key] != null)
    if (first === undefined) return undefined
    const other = others.find((key) => !isDeepStrictEqual(this.given[key], this.given[first]))
    if (other !== undefined) this.refuse(`${first} and ${other} mean the same: give one of them`)
    return this.given[first] as NonNullable<unknown>
  }
}

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least
}

function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : kindOf(value)
}
