import { isDeepStrictEqual } from 'node:util'
import { BeamlineError, type ErrorCode } from '../../../src/errors.js'
import { compileValidator, type TypeDefinition, type Validator } from '../../../src/variables/types/index.js'
import { assert } from '../../harness.js'

/** A validator of the variable `x`, of a type that needs no module. */
export function validatorOf(type: string | TypeDefinition, constraints: object = {}): Validator {
  const validator = compileValidator('x', type, constraints)
  if (validator instanceof Promise) throw new Error(`${String(type)} is loaded from a module`)
  return validator
}

/** The parser and the schema both make `expected` of `value`, told apart as `Object.is` does. */
export function reads(validator: Validator, value: unknown, expected: unknown = value): void {
  same(validator.parse('x', value), expected)
  same(validator.schema.parse(value), expected)
}

/** The parser and the schema both refuse `value`, in these words. */
export function refuses(validator: Validator, value: unknown, code: ErrorCode, reason: string): void {
  const error = errorOf(() => validator.parse('x', value))
  assert.is(error.message, `x: ${reason}`)
  assert.is(error.code, code)
  assert.is(error.details['name'], 'x')
  assert.is(error.details['type'], validator.type)
  assert.is(error.details['reason'], reason)
  assert.is(validator.schema.safeParse(value).error?.issues[0]?.message, reason)
}

/** The constraints are refused at the definition, in words that have `words`. */
export function forbids(type: string | TypeDefinition, constraints: unknown, words: string): void {
  const error = errorOf(() => compileValidator('x', type, constraints as object))
  assert.is(error.code, 'CONSTRAINT')
  const start = `Invalid constraints for x (${typeof type === 'string' ? type : type.name}): `
  assert.is(error.message.slice(0, start.length), start)
  assert.ok(error.message.includes(words), `${error.message}: has not '${words}'`)
}

/** The error that `action` throws. */
export function errorOf(action: () => unknown): BeamlineError {
  try {
    action()
  } catch (error) {
    if (error instanceof BeamlineError) return error
    throw error
  }
  return assert.unreachable('nothing was thrown') as never
}

export function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) assert.equal(actual, expected)
  assert.ok(isDeepStrictEqual(actual, expected), `${String(actual)} is not ${String(expected)}`)
}
