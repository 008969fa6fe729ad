import { types } from 'node:util'
import { BeamlineError, type ErrorCode, shown } from '../errors.js'
import { setPart } from './tree-copier.js'

const builtin: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** Errors of this program's realm, and of others such as a `vm` context. */
export const isError = (object: object): object is Error => object instanceof Error || types.isNativeError(object)

/**
 * What there is to an error: name, message, stack, cause, and every own property such as `code` or `details`. An error
 * may be anything that was thrown, so nothing is taken for granted: texts are made texts, and a getter that throws is
 * no reason to lose the rest.
 */
export function partsOf(error: Error): Record<string, unknown> {
  const [name, message, stack, cause] = ['name', 'message', 'stack', 'cause'].map((key) => read(error, key))
  const parts: Record<string, unknown> = { name: text(name, 'Error'), message: text(message, '') }
  if (stack !== undefined) parts['stack'] = text(stack, '')
  if (cause !== undefined) parts['cause'] = cause
  if (Object.hasOwn(error, 'errors')) parts['errors'] = read(error, 'errors')
  for (const key of Object.keys(error)) {
    if (Object.hasOwn(parts, key)) continue
    const value = read(error, key)
    // A text in the place of `toString` would break the error's own.
    if (typeof value !== 'function' || !(key in Object.prototype)) setPart(parts, key, value)
  }
  return parts
}

/** A part of an error, or words for what was thrown instead. */
export function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key]
  } catch (thrown) {
    return `(reading it threw ${shown(thrown)})`
  }
}

function text(value: unknown, missing: string): string {
  if (typeof value === 'string') return value
  return value === undefined ? missing : shown(value)
}

/** An error without its parts: of its class where that is known here, else an `Error`. */
export function blankError({ name, message, code }: Record<string, unknown>): Error {
  const text = String(message)
  if (name === 'BeamlineError') return new BeamlineError(code as ErrorCode, text)
  if (name === 'AggregateError') return new AggregateError([], text)
  const Builtin = Object.hasOwn(builtin, String(name)) ? (builtin[String(name)] as ErrorConstructor) : Error
  return new Builtin(text)
}

/** What an error of that class has of its own accord and does not show. */
const hidden = ['name', 'message', 'stack', 'cause', 'errors']

/** Gives `error` its parts, each as `part` makes it. */
export function fillError(
  error: Error,
  parts: Readonly<Record<string, unknown>>,
  part: (part: unknown, key: string) => unknown,
): Error {
  for (const [key, value] of Object.entries(parts)) {
    if (key === 'message' || (key === 'name' && value === error.name)) continue
    const enumerable = !hidden.includes(key)
    Object.defineProperty(error, key, { value: part(value, key), writable: true, configurable: true, enumerable })
  }
  return error
}
