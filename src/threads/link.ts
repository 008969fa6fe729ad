import type { MessagePort } from 'node:worker_threads'
import type { BeamlineError } from '../errors.js'
import type { Transfer } from './payload.js'
import type { Signal } from './signal.js'

/** What a link tells the thread it ends in. */
export interface LinkEvents {
  /** Signals arrived, in the order in which they were sent. */
  receive(signals: readonly Signal[], from: number): void
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

/** One end of a link that no thread has taken yet; may be sent to the thread it is for. */
export type LinkEnd = MessagePort | number

/** What links are made of. */
export interface Carrier {
  /** Both ends of a new link. */
  pair(): readonly [LinkEnd, LinkEnd]
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
  readonly #enabled: boolean
  readonly #waiting: Batched[] = []
  #open = false

  constructor(enabled: boolean) {
    this.#enabled = enabled
  }

  get open(): boolean {
    return this.#open
  }

  /** `link` has something for the end of the batch. */
  add(link: Batched): void {
    this.#waiting.push(link)
  }

  run(work: () => void): void {
    if (this.#open || !this.#enabled) return work()
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
