import { isDeepStrictEqual } from 'node:util'

/** Whether two values of variables are equal, part by part. NaN equals itself, and -0 is not 0, as it can be read back. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object') return false
  return isDeepStrictEqual(one, other)
}
