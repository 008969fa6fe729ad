import { isDeepStrictEqual } from 'node:util'
import { assert } from '../harness.js'

/** Fails unless two values are equal part by part: in type, sign of zero and NaN too. */
export function same(actual: unknown, expected: unknown, what = 'the values'): void {
  if (isDeepStrictEqual(actual, expected)) return
  const [shownActual, shownExpected] = [comparable(actual), comparable(expected)]
  if (isDeepStrictEqual(shownActual, shownExpected)) return
  assert.equal(shownActual, shownExpected, what)
  assert.unreachable(`${what} differ in what only isDeepStrictEqual sees`)
}

/** Node compares dates by `===`, so an invalid one is not even equal to itself: here something else stands for it. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? { invalid: 'Date' } : value
  if (Array.isArray(value)) return value.map(comparable)
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [comparable(key), comparable(part)]))
  if (value instanceof Set) return new Set([...value].map(comparable))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, comparable(part)]))
}
