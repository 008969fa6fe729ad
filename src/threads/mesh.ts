import type { Link } from './link.js'
import { moved, type Transfer } from './payload.js'
import type { Signal } from './signal.js'

/** The number of the thread that started the system. */
export const MAIN = 0

/** A signal for a thread whose link is on its way, and what it transfers. */
type Waiting = readonly [Signal, Transfer | undefined]

/**
 * The links of one thread. A pair of threads gets its link when one of them first needs it (`dial`); what is sent
 * before the link is there waits, in order.
 */
export class Mesh {
  readonly #links = new Map<number, Link>()
  readonly #waiting = new Map<number, Waiting[]>()
  readonly #lost = new Set<number>()
  readonly #dial: (thread: number) => void
  #closed = false
  /** The link that was used last: signals go in rows. */
  #last: Link | undefined

  constructor(dial: (thread: number) => void) {
    this.#dial = dial
  }

  /** Sends to `thread`; false when that thread is known to be gone. */
  send(thread: number, signal: Signal, transfer?: Transfer): boolean {
    const link = this.#last?.peer === thread ? this.#last : this.#links.get(thread)
    if (link !== undefined) {
      this.#last = link
      link.send(signal, transfer)
      return true
    }
    if (this.#closed || this.#lost.has(thread)) return false
    // A copy: its sender may go on changing it before there is a link.
    const copied = moved([signal, transfer], transfer) as Waiting
    const waiting = this.#waiting.get(thread)
    if (waiting !== undefined) {
      waiting.push(copied)
      return true
    }
    this.#waiting.set(thread, [copied])
    this.#dial(thread)
    return true
  }

  connect(link: Link): void {
    this.#last = undefined
    this.#links.set(link.peer, link)
    for (const [signal, transfer] of this.#waiting.get(link.peer) ?? []) link.send(signal, transfer)
    this.#waiting.delete(link.peer)
  }

  connected(thread: number): boolean {
    return this.#links.has(thread)
  }

  isLost(thread: number): boolean {
    return this.#lost.has(thread)
  }

  /** From now on nothing goes to `thread`, nor is it dialled again. */
  lose(thread: number): void {
    this.#lost.add(thread)
    if (this.#last?.peer === thread) this.#last = undefined
    this.#links.get(thread)?.close()
    this.#links.delete(thread)
    this.#waiting.delete(thread)
  }

  /** Tells every thread that has a link. */
  broadcast(signal: Signal): void {
    for (const link of this.#links.values()) link.send(signal)
  }

  /** From now on nothing goes anywhere. */
  close(): void {
    this.#closed = true
    this.#last = undefined
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#waiting.clear()
  }
}
