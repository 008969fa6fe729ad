import type { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { HistoryEntry, ManyWritten, Metadata, Written } from '../../variables/change.js'
import type { Lease, Release } from '../../variables/lease.js'
import type { CommitEvent, NumberedInfo, SessionState } from '../../variables/session-state.js'
import type { Write } from '../../variables/state.js'

// Between the process that is a bridged context, on any thread, and the bridge of its system, on a thread of its own.
// Values are values here; what they look like on the wire only the bridge knows.

/** What a context wants of its session. */
export type SessionCommand =
  | {
      readonly op: 'define'
      readonly name: string
      readonly type: string
      readonly initial: unknown
      readonly constraints: Readonly<Record<string, unknown>>
      readonly description: string | undefined
      readonly metadata: Metadata | undefined
    }
  | { readonly op: 'set'; readonly write: Write }
  | { readonly op: 'set-many'; readonly writes: readonly Write[]; readonly atomic: boolean }
  | { readonly op: 'delete'; readonly name: string }
  | { readonly op: 'rollback'; readonly name: string; readonly version: number }
  | { readonly op: 'lease'; readonly name: string; readonly holder: string }
  | { readonly op: 'release'; readonly name: string; readonly how: Release }
  | { readonly op: 'since'; readonly revision: number; readonly through: number; readonly limit: number }
  | { readonly op: 'history'; readonly name: string; readonly limit: number }
  /**
   * Answered behind every commit that the session had when the server heard of it; when it is `first`, also before every
   * commit of a command that comes after it from here.
   */
  | { readonly op: 'sync'; readonly first: boolean }

/** Some of what was committed before. Of a variable only its number is told. */
export interface Past {
  readonly events: readonly CommitEvent[]
  /** There is nothing else up to here. */
  readonly through: number
}

/** What a command comes to; the first is about a `define`, and so on. */
export type SessionAnswer =
  | NumberedInfo
  | Written
  | (Written & { readonly value: unknown })
  | ManyWritten
  | readonly HistoryEntry[]
  | Lease
  | Past
  | boolean
  | undefined

/** What the bridge is asked, by call. */
export type BridgeRequest =
  /**
   * From now on `pid` is a context of the session: it gets a {@link FromBridge} for all that happens. With `create`, makes
   * the session unless it is there, with `state` when that is given (then it must not be there: ALREADY_EXISTS).
   * Answered with the {@link SessionState} of now; the commits after it follow as `events`. Who would make it with a
   * `state` does not wait for a connection: UNAVAILABLE.
   */
  | {
      readonly kind: 'attach'
      readonly session: string
      readonly pid: Pid
      /** Without it, a session that is not there is NOT_FOUND. */
      readonly create: boolean
      readonly state?: SessionState
      /**
       * A context that was attached before, to a bridge whose thread has died or as a process whose own has, and all that
       * it knows: answered with `undefined` when `events` alone make up for the rest. With `create`, a session that is gone
       * begins again with that, unless it was on the same `server`: then it was deleted, and is NOT_FOUND.
       */
      readonly seen?: SessionState
      /**
       * A context that was attached before, and brings what it has as `state` or begins anew. Like one that has `seen` the
       * session it waits while there is no connection, also where others are refused.
       */
      readonly again?: boolean
    }
  /** What of the context still waits for the server is dropped; what was sent is carried out. */
  | { readonly kind: 'detach'; readonly session: string; readonly pid: Pid }
  /** Answered with the {@link Home} of the contexts behind this bridge. */
  | { readonly kind: 'home' }
  /** Answered with {@link BridgeInfo}. */
  | { readonly kind: 'info' }
  /** Answered with {@link BridgeInfo} once the first connection stands; refused with the reason when it fails. */
  | { readonly kind: 'ready' }
  /** What was sent is answered before, if the server does so soon. */
  | { readonly kind: 'close' }

/** How a bridge fares. */
export interface BridgeStats {
  /** Connections after the first. */
  readonly reconnects: number
  /** Commits of its sessions that the server has and that have not arrived yet. */
  readonly lag: number
  /** Milliseconds since 1970 of the server's last proof of life; 0 before the first. */
  readonly lastProofOfLife: number
  /** Faults of a stream, by which something would have been lost had it not been asked for again. */
  readonly gaps: number
  /** Frames that the server has sent. */
  readonly frames: number
  /** Sessions that contexts of this system are attached to. */
  readonly sessions: number
  /** Commands that have been sent and not answered. */
  readonly unanswered: number
}

export interface BridgeInfo {
  readonly state: BridgeState
  readonly stats: BridgeStats
}

/** Changes that a bridge could not tell a session's contexts one by one. */
export interface BridgeResync {
  readonly session: string
  readonly reason: string
}

/** What the process of a bridge tells its handle. */
export type ToHandle =
  | {
      readonly kind: 'state'
      readonly pid: Pid
      readonly state: BridgeState
      readonly error: BeamlineError | undefined
    }
  | { readonly kind: 'resync'; readonly resync: BridgeResync }

/** What the bridge is told, by cast. */
export type BridgeMessage = {
  readonly kind: 'command'
  readonly session: string
  readonly pid: Pid
  /** The context's own number for it. */
  readonly seq: number
  readonly command: SessionCommand
}

/** How it stands between the bridge and the server. */
export type BridgeState = 'connecting' | 'ready' | 'reconnecting' | 'closed'

/** What a context hears from its bridge, by `send`, in the order of the stream. */
export type FromBridge =
  /** All commits up to `through`, after those told before. `head` is the session's last at that time. */
  | {
      readonly type: 'beamline:bridge'
      readonly kind: 'events'
      readonly session: string
      readonly events: readonly CommitEvent[]
      readonly through: number
      readonly head: number
    }
  /**
   * Some commits cannot be told any more: this is the session now, and `reason` says why.
   */
  | {
      readonly type: 'beamline:bridge'
      readonly kind: 'resync'
      readonly session: string
      readonly state: SessionState
      readonly reason: string
    }
  /** To be given to whoever asked once the context has taken in every commit through `revision`. */
  | {
      readonly type: 'beamline:bridge'
      readonly kind: 'reply'
      readonly session: string
      readonly seq: number
      readonly revision: number
      readonly answer: SessionAnswer
      readonly error: BeamlineError | undefined
    }
  /** `live` when the context is attached, with each heartbeat, and when the server is back; `stale` when it is not to be heard. */
  | {
      readonly type: 'beamline:bridge'
      readonly kind: 'link'
      readonly session: string
      readonly state: 'live' | 'stale'
      /** Where the session is, for the `server` of what the context has `seen`; undefined without a connection. */
      readonly server: string | undefined
      /** Milliseconds since 1970 of the last proof of life. */
      readonly proofOfLife: number
    }
  /**
   * The server has been replaced, and the session is not there: whoever has its state may attach anew with it, and if
   * another was first (ALREADY_EXISTS), without. Nothing more comes until then; commands wait.
   */
  | { readonly type: 'beamline:bridge'; readonly kind: 'missing'; readonly session: string }
  /** The session has been ended, or nothing will bring it back. */
  | {
      readonly type: 'beamline:bridge'
      readonly kind: 'closed'
      readonly session: string
      readonly error: BeamlineError
    }
