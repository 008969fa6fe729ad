import type { MessagePort } from 'node:worker_threads'
import { type BeamlineError, shown } from '../errors.js'
import type { Transfer } from './payload.js'
import type { Polling } from './poller.js'
import type { Signal } from './signal.js'

/** What a link tells the thread it ends in. */
export interface LinkEvents {
  /** Signals arrive: `work` hands them to {@link receive}, one by one. */
  arrive(work: () => void): void
  /** A signal arrived; all of one link come in the order in which they were sent. */
  receive(signal: Signal, from: number): void
  /** A signal found no room in the shared memory, and went another way. */
  spilled?(): void
  /** What was held for a batch cannot be sent after all; its sender is no longer there to be told. */
  lost?(signal: Signal, error: BeamlineError): void
  /** The other end is gone; everything it had sent was received before. */
  closed(peer: number): void
}

/**
 * One end of the only way between two threads: ordered, both directions, one for each pair. The carrier behind it
 * (message port, memory) can be exchanged; the promises cannot.
 */
export interface Link {
  /** The number of the thread at the other end. */
  readonly peer: number
  /** Sends at once, or with the batch that is open. */
  send(signal: Signal, transfer?: Transfer): void
  /** Lets everything out that was sent, then closes; the other end hears `closed`. */
  close(): void
}

/** One end of a link that no thread has taken yet; may be sent to the thread it is for, its ports transferred. */
export type LinkEnd = MessagePort | RingEnd | number

/** The end of a link in shared memory. */
export interface RingEnd {
  /** For what is too large, or transferred, and to wake whoever sleeps. */
  readonly port: MessagePort
  /** The thread it is for. */
  readonly here: number
  readonly inbox: SharedArrayBuffer
  readonly outbox: SharedArrayBuffer
  /** The bells of the thread it is for, and of its peer. */
  readonly bell: SharedArrayBuffer
  readonly peerBell: SharedArrayBuffer
  readonly polling: Polling
}

/** The ports of an end, to be transferred with it. */
export function portsOf(end: LinkEnd): MessagePort[] {
  if (typeof end === 'number') return []
  return ['inbox' in end ? end.port : end]
}

/** What links are made of. */
export interface Carrier {
  /** Both ends of a new link between two threads; one that will carry little may be `narrow`. */
  pair(a: number, b: number, narrow: boolean): readonly [LinkEnd, LinkEnd]
  /** A thread is gone; what was kept for its links is not needed any more. */
  forget?(thread: number): void
  /**
   * The calling thread waits for more than signals, such as sockets: from now on neither it nor its peers look for each
   * other's signals, which would keep cores from those who have something to do.
   */
  doze?(): void
  /** Takes an end for the calling thread: from now on `events` hears of it. */
  attach(end: LinkEnd, peer: number, batch: Batch, events: LinkEvents): Link
}

/** Something that holds signals back while a batch is open. */
export interface Batched {
  flush(): void
}

/**
 * Holds signals back while the library's own code runs, so that what it says to one peer leaves in one piece. A user's
 * code never runs in an open batch: its signals must be out before an endless loop that follows them.
 */
export class Batch {
  enabled: boolean
  readonly #waiting: Batched[] = []
  #open = false

  constructor(enabled: boolean) {
    this.enabled = enabled
  }

  get open(): boolean {
    return this.#open
  }

  /** `link` has something for the end of the batch. */
  add(link: Batched): void {
    this.#waiting.push(link)
  }

  run(work: () => void): void {
    if (this.#open || !this.enabled) return work()
    this.#open = true
    try {
      work()
    } finally {
      this.#open = false
      this.#flush()
    }
  }

  /** `work` is a user's: what was held back leaves before it, and what it sends leaves at once. */
  suspend<T>(work: () => T): T {
    if (!this.#open) return work()
    this.#flush()
    this.#open = false
    try {
      return work()
    } finally {
      this.#open = true
    }
  }

  #flush(): void {
    for (const link of this.#waiting.splice(0)) link.flush()
  }
}

/** Tells of a signal that is lost, where nobody is left to be told by an error. */
export function warnOfLoss(what: string, error: unknown): void {
  const why = error instanceof Error ? error.message : shown(error)
  process.emitWarning(`${what}: ${why}`, { code: 'BEAMLINE_LINK' })
}
