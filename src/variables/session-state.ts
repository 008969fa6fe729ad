import type { HistoryEntry, Metadata, VariableInfo } from './change.js'
import type { FedSets } from './fed-sets.js'
import type { Lease } from './lease.js'

/** A variable as other places know it that keep a copy of its context. */
export interface NumberedInfo extends VariableInfo {
  /** The variable's in its context: small, and never another's. */
  readonly number: number
}

/** One variable in one commit, as a copy of a context takes it in. */
export interface CommitEvent {
  readonly op: 'define' | 'set' | 'delete'
  readonly number: number
  readonly id: string
  readonly name: string
  /** `undefined` for a deletion. */
  readonly value: unknown
  /** `undefined` for a definition. */
  readonly previous: unknown
  /** What the writer said, as it was given. */
  readonly said: Metadata | undefined
  readonly revision: number
  readonly version: number
  readonly timestamp: number
  /** More of the same revision follow. */
  readonly more: boolean
  /** Of a definition: the variable as it then was. */
  readonly info?: NumberedInfo
}

/** What of a commit a copy needs that knows the variable, or is told of it in `info`. */
export type AppliedEvent = Omit<CommitEvent, 'id' | 'name' | 'previous'>

/** A context at one moment, whole: from it a copy begins, or a context in another place goes on. */
export interface SessionState {
  /** Another for each life of a context's log: revisions of different incarnations do not compare. */
  readonly incarnation: string
  readonly revision: number
  readonly variables: readonly NumberedInfo[]
  /** Of a session behind a bridge: the id of the server that had it. */
  readonly server?: string | undefined
  /** Earlier values, oldest first, the present one last, by name; when they were asked for. */
  readonly histories?: Readonly<Record<string, readonly HistoryEntry[]>>
  /** Variables that only one may write, by name; of a state that goes on elsewhere. */
  readonly leases?: Readonly<Record<string, Lease>>
}

/** What a copy is answered that asks to be fed by a context from now on. */
export interface FeedStart {
  readonly state: SessionState
  /** The highest revision of which something is no longer kept. */
  readonly compacted: number
  /** All commits that are kept after the revision that was asked for; `undefined` when some of them are not. */
  readonly missed: readonly CommitEvent[] | undefined
}

/** Commits as a context sends them to its copies, in order and without gaps. */
export type Fed = {
  readonly type: 'beamline:fed'
  /** The context's id. */
  readonly context: string
  /** The life of its log: another context of the same id has another. */
  readonly incarnation: string
} & FedEvents

export type FedEvents = { readonly events: readonly CommitEvent[] } | { readonly sets: FedSets }
