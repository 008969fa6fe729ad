import { inspect } from 'node:util'

/** The stable codes of {@link BeamlineError}. A code never changes its meaning; new ones may be added. */
export type ErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'ALREADY_REGISTERED'
  | 'INVALID_TYPE'
  | 'CONSTRAINT'
  | 'VERSION_CONFLICT'
  | 'NOPROC'
  | 'CALL_TIMEOUT'
  | 'MAILBOX_FULL'
  | 'OVERFLOW'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED'
  | 'COMPACTED'
  | 'NOT_CLONEABLE'
  | 'BAD_ENTRY'
  | 'STOPPED'
  | 'CORRUPT'
  | 'PERMISSION_DENIED'
  | 'LOCKED'
  | 'EXHAUSTED'

/** What an error may carry beside its message. */
export interface ErrorOptions {
  /** The original error, when this one explains another. */
  cause?: unknown
  /** Plain data for programs: the names, values and limits that the message speaks of. */
  details?: Readonly<Record<string, unknown>>
}

const brand = Symbol.for('beamline.error')

/**
 * Every error this library throws or rejects with. `code` is stable and meant for programs; `message` names the thing
 * that was wrong and says what would be right; `cause` keeps the original.
 *
 * `instanceof` looks at a brand instead of the prototype, so it also holds across threads and across two copies of the
 * package in one program.
 */
export class BeamlineError extends Error {
  override readonly name = 'BeamlineError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** `instanceof`, and false where even the prototype is out of reach, as of a revoked proxy. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

/** Any value as an error message shows it: in one short line; never throws. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`
  try {
    const text = inspect(value, {
      depth: 2,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 8,
      maxStringLength: 80,
    })
    return text.length > 100 ? `${text.slice(0, 100)}…` : text
  } catch {
    return `a value of type ${typeof value}`
  }
}
