import { isInstance, shown } from '../errors.js'
import { partsOf, read } from '../threads/error-codec.js'
import { copy } from '../threads/payload.js'
import type { Pid } from '../threads/pid.js'

/** An error as an exit reason carries it: plain data that any thread can read. */
export interface ErrorReason {
  readonly error: {
    readonly name: string
    readonly message: string
    readonly stack: string
    readonly code?: string
    readonly cause?: unknown
    /** What was thrown, when it was no error. */
    readonly value?: unknown
  }
}

/**
 * Why a process ended. Any term may be a reason; these have a meaning of their own:
 * `normal` (its function returned; does not break links), `shutdown` and `{ shutdown }` (asked to by its supervisor),
 * `killed` (somebody sent `kill`), `noproc` (it was already dead), `noconnection` (its thread is gone for a reason that
 * nobody knows), `{ error }` (it threw), `{ hostKilled }` (its thread was ended because of that process).
 */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'kill'
  | 'killed'
  | 'noproc'
  | 'noconnection'
  | ErrorReason
  | { readonly shutdown: unknown }
  | { readonly hostKilled: Pid }
  | (string & {})
  | (object & {})
  | number
  | boolean
  | null
  | undefined

/** Thrown inside a process, ends it with `reason`, unchanged. Mirrors Elixir's `exit/1`. */
export class Exit {
  readonly reason: ExitReason

  constructor(reason: ExitReason) {
    this.reason = reason
  }
}

/** The exit reason of a process whose code threw `thrown`. Any message can carry it. */
export function reasonFrom(thrown: unknown): ExitReason {
  if (isInstance(thrown, Exit)) return sendable(thrown.reason) as ExitReason
  if (isInstance(thrown, Error)) return errorReason(thrown)
  const message = `a value that is no error was thrown: ${shown(thrown)}`
  return { error: { name: 'NonError', message, stack: '', value: sendablePart(thrown) } }
}

/** What no message can carry is described: a death is told whatever its reason. */
export function sendable(value: unknown): unknown {
  try {
    return copy(value)
  } catch {
    return shown(value)
  }
}

/** The same for a part of an {@link ErrorReason}: it must be sendable where it stands, two levels down. */
function sendablePart(part: unknown): unknown {
  try {
    return (copy({ error: { part } }) as { error: { part: unknown } }).error.part
  } catch {
    return shown(part)
  }
}

function errorReason(error: Error): ErrorReason {
  const { name, message, stack = '', cause } = partsOf(error)
  const code = read(error, 'code')
  return {
    error: {
      name: name as string,
      message: message as string,
      stack: stack as string,
      ...(typeof code === 'string' && { code }),
      ...(cause !== undefined && { cause: sendablePart(cause) }),
    },
  }
}

/** The reason as an error, to be the `cause` of a call that failed by it. */
export function errorFrom(reason: ExitReason): Error {
  if (!isErrorReason(reason)) return new Error(`the process exited with reason ${describe(reason)}`)
  const { name, message, stack, code, cause } = reason.error
  const error = new Error(message, cause === undefined ? {} : { cause })
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack !== '') error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}

export function isErrorReason(reason: unknown): reason is ErrorReason {
  const error = typeof reason === 'object' && reason !== null ? (reason as Partial<ErrorReason>).error : undefined
  return typeof error === 'object' && error !== null && typeof error.message === 'string'
}

/** A reason or value in few words, for messages. */
export function describe(value: unknown): string {
  if (isErrorReason(value)) return `${value.error.name}: ${value.error.message}`
  return typeof value === 'string' ? value : shown(value)
}
