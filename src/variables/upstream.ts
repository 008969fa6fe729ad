import type { From } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { OwnType } from './adoption.js'
import type { VariableInfo } from './change.js'
import type { ContextRequest } from './requests.js'
import type { CommitEvent, SessionState } from './session-state.js'
import type { Whereabouts } from './whereabouts.js'

/** Where the state of a context may live beside its own process: what a module's export makes an {@link Upstream} of. */
export interface Home {
  readonly module: string
  readonly export: string
  /** Plain data for it. */
  readonly args: unknown
  /** The same for all contexts that live there. */
  readonly place: string
}

/** Something that contexts may live behind, such as a bridge. */
export interface ContextHost {
  /** @internal */
  home(create: boolean): Home
}

/** The registered name of the bridge that a system has connected first. */
export const firstBridge = 'beamline.bridge'

/** Where contexts live behind the first bridge of a system. @throws BeamlineError UNAVAILABLE when it has none */
export async function anyHome(self: Process): Promise<Home> {
  const bridge = self.system.whereis(firstBridge)
  if (bridge !== undefined) return (await self.call(bridge, { kind: 'home' })) as Home
  const text = 'this system has no bridge: connect one with Bridge.connect, and give it'
  throw new BeamlineError('UNAVAILABLE', text)
}

/** What has to be asked where the state is. */
export type ForwardedRequest = Extract<
  ContextRequest,
  { readonly kind: 'define' | 'set' | 'set-many' | 'delete' | 'rollback' | 'history' | 'lease' | 'release' }
>

/** The state of a context, where it really is. */
export interface Upstream {
  /** Asks for something; `from` is answered once the copy has taken in what that has changed. */
  forward(request: ForwardedRequest, from: From | undefined): void
  /**
   * Goes on once the copy has all that was committed until now, or it is known why that cannot be.
   * @param first whether what is asked for after this is committed after it has gone on
   */
  synced(go: (error?: BeamlineError) => void, first?: boolean): void
  /**
   * What was committed after one revision and up to another, which the copy has not seen, as it is there.
   * @throws BeamlineError COMPACTED when some of it is no longer kept
   */
  past(after: number, through: number): Promise<CommitEvent[]>
  /** Takes a message, if it is from there. */
  take(message: unknown): void
  /** The context leaves. Resolves when that is known there. */
  leave(): Promise<void>
}

/** The copy of the state that a bridged context has, as whoever feeds it sees it. */
export interface Copy {
  readonly id: string
  readonly incarnation: string
  readonly revision: number
  /** All of it, to begin elsewhere with. */
  state(): SessionState
  /** Takes in commits that follow on the last, and has the watches told. */
  apply(events: readonly CommitEvent[]): void
  /** It goes on elsewhere, where its variables are called as `there` says. */
  moved(there: SessionState): void
  /** Becomes another state: watches are told of what was lost, then of all that is different. */
  become(state: SessionState, reason: string): void
  /** What a value is by a type of a user's own, which only this side knows. @throws BeamlineError */
  check(name: string, value: unknown): unknown
  /** A variable will be defined by a type of a user's own, which only this side knows. */
  expect(name: string, own: OwnType | undefined): void
  readonly whereabouts: Whereabouts
  /** A variable as it is here. */
  described(name: string): VariableInfo | undefined
  /** Answers; also a `put`, of which only a refusal is told. */
  answer(from: From | undefined, value: unknown, error?: BeamlineError): void
  /** The session is over, and the context with it. */
  end(error: BeamlineError): void
}

/**
 * Opens an {@link Upstream}: joins the session and has `copy` become what is there; or goes on from what `copy` has seen of
 * it; or makes the session of what `copy` has.
 * @throws BeamlineError ALREADY_EXISTS for a session that cannot be made, as it is there; UNAVAILABLE
 */
export type OpenUpstream = (
  self: Process,
  args: unknown,
  copy: Copy,
  how: 'join' | 'rejoin' | 'move',
) => Promise<Upstream>
