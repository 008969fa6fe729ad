import type { Metadata, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { Process } from '../../actors/process.js'
import type { Pid } from '../../threads/pid.js'
import type { Guard } from './guard.js'
import type { Limits } from './limits.js'
import type { Sessions } from './session.js'

/** What one caller may still do this second. */
export interface Bucket {
  /** @throws BeamlineError EXHAUSTED with `details.retryAfterMs` */
  take(calls?: number): void
  /** What a call that was let in has turned out to be besides: the next ones wait for it. */
  owe(calls: number): void
}

/** How often callers may call. Each call has been counted when its handler runs; what comes on a stream has not. */
export interface Rates {
  /** @param metadata undefined when its token has not been checked */
  of(metadata: Metadata | undefined, peer: string): Bucket
}

/** What the services of a server share: one set for each life of its process. */
export interface ServiceDeps {
  /** The server's process, on whose thread the services run. */
  readonly self: Process
  readonly sessions: Sessions
  readonly guard: Guard
  readonly rates: Rates
  readonly limits: Limits
  /** Another for each life of the server's process. */
  readonly serverId: string
  readonly heartbeatMs: number
  /** The process that keeps the host's tools. */
  readonly hostTools: Pid
  /** Where tools of workers may be: see `BridgeServerOptions`. */
  readonly remoteTools: readonly string[]
  /** Aborts when the server is about to end: its `reason` is a {@link Drain}. Streams finish what is committed, and end. */
  readonly draining: AbortSignal
  /** Whoever wants the messages that come to the server's process: the first that says `true` has it. */
  onMessage(taker: (message: unknown) => boolean): void
}

/** How a server ends. */
export interface Drain {
  /** Milliseconds after which every call that is left is cut off. */
  readonly graceMs: number
}

/** A service, ready to be added to a server. */
export interface BoundService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  /** Plain numbers for `BridgeServer.stats`. */
  stats?(): Readonly<Record<string, number>>
}
