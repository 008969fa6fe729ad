import type { Placement } from '../actors/spawner.js'
import type { Name } from '../actors/via.js'
import { BeamlineError, shown } from '../errors.js'
import type { BackoffLimits, BackoffOptions } from './backoff.js'
import type { AutoShutdown, Strategy } from './strategy.js'

interface CommonOptions {
  /** Restarts that are allowed within `maxSeconds`; one more ends the supervisor with `shutdown`. 3. */
  readonly maxRestarts?: number
  /** The window in which restarts are counted, in seconds; 5. */
  readonly maxSeconds?: number
  /** Registers the supervisor under this name. */
  readonly name?: Name
  /** Waits before restarts, instead of restarting at once. */
  readonly backoff?: BackoffOptions
  /** Links it to the process that starts it; true unless told when that is a process, false when it is a system. */
  readonly link?: boolean
  /**
   * The thread of its process: the caller's unless told. Elsewhere, its children must be servers with a `module`, or
   * entries, and their arguments are copied.
   */
  readonly thread?: Placement
}

export interface SupervisorOptions extends CommonOptions {
  /** `one_for_one` unless told. */
  readonly strategy?: Strategy
  /** Whether the end of significant children ends the supervisor with `shutdown`; `never` unless told. */
  readonly autoShutdown?: AutoShutdown
}

export interface DynamicSupervisorOptions extends CommonOptions {
  /** The most children at one time, those that wait for a restart included; `Infinity`. */
  readonly maxChildren?: number
}

/** Options that are checked and complete, as the process of a supervisor takes them. */
export interface Policy {
  readonly strategy: Strategy
  readonly autoShutdown: AutoShutdown
  readonly maxRestarts: number
  readonly windowMs: number
  readonly backoff: BackoffLimits | undefined
  readonly maxChildren: number
}

const strategies: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one']
const autoShutdowns: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant']

/** @throws BeamlineError INVALID_TYPE */
export function policyOf(owner: string, options: SupervisorOptions & DynamicSupervisorOptions): Policy {
  if (typeof options !== 'object' || options === null) throw bad(owner, 'options', options, 'give an object')
  const { strategy = 'one_for_one', autoShutdown = 'never', maxRestarts = 3, maxSeconds = 5 } = options
  const { maxChildren = Number.POSITIVE_INFINITY, backoff } = options
  return {
    strategy: oneOf(owner, 'strategy', strategy, strategies),
    autoShutdown: oneOf(owner, 'autoShutdown', autoShutdown, autoShutdowns),
    maxRestarts: count(owner, 'maxRestarts', maxRestarts),
    windowMs: number(owner, 'maxSeconds', maxSeconds, 'a number of seconds above 0', maxSeconds > 0) * 1000,
    backoff: backoff === undefined ? undefined : limitsOf(owner, backoff),
    maxChildren: count(owner, 'maxChildren', maxChildren),
  }
}

function limitsOf(owner: string, backoff: BackoffOptions): BackoffLimits {
  if (typeof backoff !== 'object' || backoff === null) throw bad(owner, 'backoff', backoff, 'give { initial: … }')
  const { initial, factor = 2, jitter = 0 } = backoff
  number(owner, 'backoff.initial', initial, 'milliseconds, 0 or more', initial >= 0 && Number.isFinite(initial))
  const { max = Math.max(30_000, initial) } = backoff
  number(owner, 'backoff.max', max, 'milliseconds, not less than initial', max >= initial && Number.isFinite(max))
  number(owner, 'backoff.factor', factor, 'a number from 1', factor >= 1 && Number.isFinite(factor))
  number(owner, 'backoff.jitter', jitter, 'a number from 0 to 1', jitter >= 0 && jitter <= 1)
  return { initial, max, factor, jitter }
}

export function oneOf<T extends string>(owner: string, field: string, value: T, among: readonly T[]): T {
  if (among.includes(value)) return value
  throw bad(owner, field, value, `give ${among.map((one) => `'${one}'`).join(' or ')}`)
}

function number(owner: string, field: string, value: number, right: string, isRight: boolean): number {
  if (typeof value === 'number' && isRight) return value
  throw bad(owner, field, value, `give ${right}`)
}

function count(owner: string, field: string, value: number): number {
  const isCount = Number.isInteger(value) || value === Number.POSITIVE_INFINITY
  return number(owner, field, value, 'a whole number, 0 or more', isCount && value >= 0)
}

/** The refusal of a value that is not right for a field. */
export function bad(owner: string, field: string, value: unknown, advice: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `${owner}: ${field} is ${shown(value)}: ${advice}`, { details: { field } })
}
