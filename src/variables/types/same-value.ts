import { isDeepStrictEqual } from 'node:util'

/** Whether two values are equal, part by part. NaN equals itself, and -0 is not 0, as a reader can tell them apart. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object') return false
  return isDeepStrictEqual(one, other)
}
