import { BeamlineError, type ErrorCode } from '../errors.js'

const builtin: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** What there is to an error: name, message, stack, cause, and every own property such as `code` or `details`. */
export function partsOf(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const parts: Record<string, unknown> = { name: String(name), message: String(message) }
  if (typeof stack === 'string') parts['stack'] = stack
  if (cause !== undefined) parts['cause'] = cause
  if (error instanceof AggregateError) parts['errors'] = error.errors
  for (const [key, value] of Object.entries(error)) parts[key] ??= value
  return parts
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
