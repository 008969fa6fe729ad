import { BeamlineError, type ErrorCode } from '../errors.js'

type Part = (part: unknown, key: string) => unknown

const builtin: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** An error as a literal: name, message, stack, cause, and every own property such as `code` or `details`. */
export function encodeError(error: Error, part: Part): Record<string, unknown> {
  const parts: Record<string, unknown> = { name: error.name, message: error.message, stack: error.stack }
  if (error.cause !== undefined) parts['cause'] = part(error.cause, 'cause')
  if (error instanceof AggregateError) parts['errors'] = part(error.errors, 'errors')
  for (const [key, value] of Object.entries(error)) parts[key] ??= part(value, key)
  return parts
}

/** The error again, of its class where that is known here, else an `Error` of that name; with the sender's stack. */
export function decodeError(parts: Record<string, unknown>, part: Part): Error {
  const { name, message, stack, cause, ...rest } = parts
  const options = cause === undefined ? {} : { cause: part(cause, 'cause') }
  const error = construct(String(name), String(message), options, rest)
  for (const [key, value] of Object.entries(rest))
    if (!(key in error) || key === 'errors') define(error, key, part(value, key))
  if (error.name !== name) define(error, 'name', name)
  if (stack !== undefined) define(error, 'stack', stack)
  return error
}

function construct(name: string, message: string, options: { cause?: unknown }, rest: Record<string, unknown>): Error {
  if (name === 'BeamlineError') {
    const details = (rest['details'] ?? {}) as Record<string, unknown>
    return new BeamlineError(rest['code'] as ErrorCode, message, { ...options, details })
  }
  if (name === 'AggregateError') return new AggregateError([], message, options)
  const Builtin = Object.hasOwn(builtin, name) ? (builtin[name] as ErrorConstructor) : Error
  return new Builtin(message, options)
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: key === 'code' })
}
