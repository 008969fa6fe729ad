import { shown } from '../errors.js'
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
  try {
    if (thrown instanceof Exit) return sendable(thrown.reason) as ExitReason
    if (thrown instanceof Error) return errorReason(thrown)
  } catch {
    // Not even its prototype can be asked for, as of a revoked proxy.
  }
  const message = `a value that is no error was thrown: ${shown(thrown)}`
  return {
    error: {
      name: 'NonError',
      message,
      stack: '',
      value: sendableIn(thrown, (copied) => ({ error: { value: copied } })),
    },
  }
}

/** What no message can carry is described: a death is told whatever its reason. */
export function sendable(value: unknown): unknown {
  return typeof value === 'string' ? value : sendableIn(value, (copied) => copied)
}

/** The same for a part of a reason: it must still be sendable where `wrap` puts it. */
function sendableIn(value: unknown, wrap: (value: unknown) => unknown): unknown {
  try {
    copy(wrap(value))
    return copy(value)
  } catch {
    return shown(value)
  }
}

/** An error's own code may be in the way of reading it: each part is asked for alone. */
function errorReason(error: Error): ErrorReason {
  const part = (name: string): unknown => {
    try {
      return (error as unknown as Record<string, unknown>)[name]
    } catch {
      return undefined
    }
  }
  const text = (name: string, missing: string): string => {
    const value = part(name)
    return value === undefined ? missing : typeof value === 'string' ? value : shown(value)
  }
  const [code, cause] = [part('code'), part('cause')]
  return {
    error: {
      name: text('name', 'Error'),
      message: text('message', ''),
      stack: text('stack', ''),
      ...(typeof code === 'string' && { code }),
      ...(cause !== undefined && { cause: sendableIn(cause, (copied) => ({ error: { cause: copied } })) }),
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
