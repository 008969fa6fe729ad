import type { ConstraintReader, Pattern } from './constraint-reader.js'
import { type Parse, violated, wrongType } from './refusal.js'

/** The limits of a string. */
export interface StringLimits {
  readonly minLength: number
  readonly maxLength: number
  readonly pattern: Pattern | undefined
  readonly options: readonly string[] | undefined
}

export const isNil = 'cannot be nil'
export const notAString = 'must be a string'
export const tooShort = (value: string, least: number) => `must be at least ${least} characters, got ${lengthOf(value)}`
export const tooLong = (value: string, most: number) => `must be at most ${most} characters, got ${lengthOf(value)}`
export const offPattern = (pattern: Pattern) => `must match pattern: ${pattern.source}`
export const notOneOf = (options: readonly string[]) => `must be one of: ${options.join(', ')}`

export function readStringLimits(reader: ConstraintReader): StringLimits {
  const minLength = reader.count(0, 'min_length', 'minLength') ?? 0
  const maxLength = reader.count(0, 'max_length', 'maxLength') ?? Infinity
  if (minLength > maxLength) reader.refuse(`min_length ${minLength} must not be above max_length ${maxLength}`)
  return { minLength, maxLength, pattern: reader.pattern('pattern'), options: reader.strings('enum') }
}

export function stringParser(type: string, limits: StringLimits): Parse<string> {
  const { minLength, maxLength, pattern, options } = limits
  const allowed = options && new Set(options)
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, type, value, value == null ? isNil : notAString)
    if (isShorter(value, minLength)) throw violated(name, type, value, tooShort(value, minLength), { minLength })
    if (isLonger(value, maxLength)) throw violated(name, type, value, tooLong(value, maxLength), { maxLength })
    if (pattern && !pattern.expression.test(value)) {
      throw violated(name, type, value, offPattern(pattern), { pattern: pattern.source })
    }
    if (allowed && !allowed.has(value)) throw violated(name, type, value, notOneOf(options), { enum: options })
    return value
  }
}

/** A choice is a string; without `choices`, whichever. */
export function choiceParser(type: string, choices: readonly string[] | undefined): Parse<string> {
  const allowed = choices && new Set(choices)
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, type, value, notAString)
    if (allowed && !allowed.has(value)) throw violated(name, type, value, notOneOf(choices), { choices })
    return value
  }
}

/** Whether `text` has fewer than `least` characters, which are counted only where UTF-16 units leave it open. */
export function isShorter(text: string, least: number): boolean {
  return text.length < 2 * least && lengthOf(text) < least
}

/** Whether `text` has more than `most` characters. */
export function isLonger(text: string, most: number): boolean {
  return text.length > most && lengthOf(text) > most
}

/** The number of Unicode code points. */
function lengthOf(text: string): number {
  let pairs = 0
  for (let at = 0; at < text.length - 1; at++) {
    if (isSurrogate(text.charCodeAt(at), 0xd800) && isSurrogate(text.charCodeAt(at + 1), 0xdc00)) {
      pairs++
      at++
    }
  }
  return text.length - pairs
}

/** Whether `unit` is in the block of 1,024 surrogates that begins at `block`. */
function isSurrogate(unit: number, block: number): boolean {
  return (unit & 0xfc00) === block
}
