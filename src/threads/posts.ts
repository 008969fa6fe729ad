import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { BeamlineError } from '../errors.js'
import { warnOfLoss } from './link.js'
import type { Signal } from './signal.js'

/** What comes over the port: a signal that a record in the ring speaks of, one that found no room, or a call to wake up. */
export type Posted = Signal | readonly [Signal] | typeof WAKE | typeof LOST
export const WAKE = 0
/** Stands for what could not be read. */
export const LOST = 1

/** Signals that may wait on the port of a link, beside those in its ring, before a process can send no more. */
export const MOST_SPILLED = 1_000_000

/** The refusal of a message for a thread that has not taken those before it. */
export function tooMany(thread: number): BeamlineError {
  const text = `${MOST_SPILLED} signals wait for thread ${thread}, which does not keep up: send less, or look at what keeps it busy`
  return new BeamlineError('OVERFLOW', text, { details: { thread, limit: MOST_SPILLED } })
}

/** What comes over the message port of a link beside its ring, and waits for its turn. */
export class Posts {
  readonly #port: MessagePort
  readonly #peer: number
  readonly #kept: Posted[] = []

  /** `arrived` is told what came while nobody asked. */
  constructor(port: MessagePort, peer: number, arrived: (posted: Posted) => void) {
    this.#port = port
    this.#peer = peer
    port.on('message', arrived)
    port.on('messageerror', (error) => arrived(this.#lost(error)))
  }

  keep(posted: Posted): void {
    this.#kept.push(posted)
  }

  /** The next, at once; LOST when there is none. */
  next(): Posted {
    const first = this.#kept.shift()
    if (first !== undefined) return first
    try {
      for (;;) {
        const received = receiveMessageOnPort(this.#port) as { message: Posted } | undefined
        if (received === undefined) return LOST
        if (received.message !== WAKE) return received.message
      }
    } catch (error) {
      return this.#lost(error)
    }
  }

  /** The next of those that were kept, unless a record in the ring speaks of it. */
  nextSpilled(): Posted | undefined {
    const first = this.#kept[0]
    return Array.isArray(first) || first === LOST ? this.#kept.shift() : undefined
  }

  /**
   * All signals that were kept and found no room in the ring. What else is left was never sent: no record speaks of it, and
   * what its sender had sent before may be lost with an open batch.
   */
  spilled(): readonly Posted[] {
    return this.#kept.splice(0).filter(Array.isArray)
  }

  #lost(error: unknown): typeof LOST {
    warnOfLoss(`a message from thread ${this.#peer} was lost, as it cannot be read here`, error)
    return LOST
  }
}
