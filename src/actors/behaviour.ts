import { BeamlineError } from '../errors.js'
import type { Wire } from '../threads/wire.js'
import type { ExitReason } from './exit-reason.js'
import type { Process } from './process.js'

/**
 * How a process answers its messages, one at a time: the next is taken when `handle` has returned, or its promise has
 * settled. A server, a context and an observer manager are behaviours; the process runs them.
 */
export interface Behaviour {
  /** @internal It is the library's own and calls no code of a user's: what it sends may be held back for a batch. */
  readonly trusted?: boolean
  /** Runs once whoever spawned it knows that it is ready, before the first message. */
  begin?(): void | Promise<void>
  /** Takes a message, a {@link Call}, a {@link Cast}, a `DOWN` or, when exits are trapped, an `EXIT`. */
  handle(message: unknown): void | Promise<void>
  /** @internal Takes a compact message: at once where nothing waits before it, else by {@link handle}. It has no promise. */
  takeWire?(wire: Wire): void
  /** Runs before the process ends by itself: after a throw, or an {@link Exit}. Not on `kill`. */
  terminate?(reason: ExitReason): void | Promise<void>
  /** What `system.getState` tells. */
  systemGetState?(): unknown
  /** Takes what `system.replaceState` gives; throws when that is no state of it. */
  systemReplaceState?(state: unknown): void
}

/** A process as a function: it lives until the function has returned. */
export type ProcessFn<A = unknown> = (self: Process, args: A) => void | Promise<void>

/** Makes the behaviour of a new process; whoever spawns it waits until that is done. */
export type BehaviourFn<A = unknown> = (self: Process, args: A) => Behaviour | Promise<Behaviour>

const brand = Symbol.for('beamline.behaviour')

/** Marks a function that makes a {@link Behaviour}, so that it can be spawned like a process function. */
export function behaviour<A>(make: BehaviourFn<A>): BehaviourFn<A> {
  return Object.assign((self: Process, args: A) => make(self, args), { [brand]: true })
}

export function isBehaviourFn(value: unknown): value is BehaviourFn {
  return typeof value === 'function' && brand in value
}

/**
 * A behaviour that shows its state.
 * @throws BeamlineError INVALID_TYPE for any other process
 */
export function stateful(of: Behaviour | undefined, label: string): Stateful {
  if (of?.systemGetState !== undefined && of.systemReplaceState !== undefined) return of as Stateful
  throw new BeamlineError(
    'INVALID_TYPE',
    `${label} shows no state: only a Server does, or a behaviour with systemGetState`,
  )
}

type Stateful = Behaviour & Required<Pick<Behaviour, 'systemGetState' | 'systemReplaceState'>>
