import type { From } from '../../actors/messages.js'
import type { BeamlineError } from '../../errors.js'
import type { Clock } from '../../threads/clock.js'
import type { Pid } from '../../threads/pid.js'
import type { SessionState } from '../../variables/session-state.js'
import type { Batch, Canceled, Created, Snapshot, WatchProgress } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Acks, Credit } from './acks.js'
import type { FromBridge } from './messages.js'
import type { Outbox } from './outbox.js'
import type { Token } from './session-copy.js'

/** Who hears what the server says of a watch. */
export interface Watching {
  readonly session: string
  created(created: Created): void
  snapshot(snapshot: Snapshot): void
  batch(batch: Batch): void
  progress(progress: WatchProgress): void
  canceled(canceled: Canceled): void
  /** A frame has been read. */
  settle(): void
}

/** A context that wants to be of a session, and waits for it. */
export interface Attach {
  readonly from: From
  readonly pid: Pid
  /** Whether it makes the session when that is not there. */
  readonly create: boolean
  readonly state: SessionState | undefined
  readonly seen: SessionState | undefined
  /** It was of the session before, also without having {@link seen} anything. */
  readonly again?: boolean | undefined
  /** Its state is nothing to insist on when another's is there. */
  readonly yields?: boolean
}

/** Who comes from a bridge that has died has not been told that the session is missing, but has brought its state. */
export function remaking(attach: Attach): Attach {
  const { seen } = attach
  if (seen === undefined) return attach
  return { ...attach, seen: undefined, again: true, state: { ...seen, incarnation: '' }, yields: true }
}

/** What a link has to do with others. */
export interface LinkParts {
  readonly clock: Clock
  readonly outbox: Outbox
  readonly acks: Acks
  /** Begins to watch the session of a link. */
  watch(link: Watching, resume: Token | undefined): Credit
  unwatch(credit: Credit): void
  /** Undefined while there is no connection. */
  serverId(): string | undefined
  proofOfLife(): number
  send(pid: Pid, message: FromBridge): void
  answer(from: From, state: SessionState | undefined): void
  refuse(from: From, error: BeamlineError): void
  /** Something is missing on the stream. */
  gap(text: string): void
  resynced(session: string, reason: string): void
  ended(link: Watching): void
}
