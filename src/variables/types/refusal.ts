import { BeamlineError } from '../../errors.js'

/** How a validator reads a value: it answers what is stored, or throws INVALID_TYPE or CONSTRAINT. */
export type Parse<T = unknown> = (name: string, value: unknown) => T

/** A value that is not of the type. `reason` is also in the details, without the variable's name. */
export function wrongType(name: string, type: string, value: unknown, reason: string, cause?: unknown): BeamlineError {
  return refusal('INVALID_TYPE', name, reason, { name, type, reason, ...shown(value) }, cause)
}

/** A value of the type that breaks a constraint. */
export function violated(
  name: string,
  type: string,
  value: unknown,
  reason: string,
  constraint?: Readonly<Record<string, unknown>>,
  cause?: unknown,
): BeamlineError {
  const details = { name, type, reason, ...shown(value), ...(constraint && { constraint }) }
  return refusal('CONSTRAINT', name, reason, details, cause)
}

/** What `value` is, for a message: `null`, `a function`, `an instance of Date`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  const maker: unknown = value.constructor
  return isPlainObject(value) || typeof maker !== 'function' ? 'an object' : `an instance of ${maker.name}`
}

/** Whether `value` is an object literal, also one of another realm; not an array, not an instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
}

function refusal(
  code: 'INVALID_TYPE' | 'CONSTRAINT',
  name: string,
  reason: string,
  details: Readonly<Record<string, unknown>>,
  cause: unknown,
): BeamlineError {
  return new BeamlineError(code, `${name}: ${reason}`, cause === undefined ? { details } : { cause, details })
}

/** Only scalars: the error crosses threads, and a value that was refused may be one that cannot, or a large one. */
function shown(value: unknown): { value?: unknown } {
  if (typeof value === 'string') return { value: value.length > 200 ? `${value.slice(0, 199)}…` : value }
  if (typeof value === 'object' && value !== null) return {}
  return typeof value === 'function' || typeof value === 'symbol' || value === undefined ? {} : { value }
}
