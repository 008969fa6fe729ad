import type { Batch, Carrier, Link, LinkEnd, LinkEvents } from './link.js'
import { moved, type Transfer } from './payload.js'
import type { Signal } from './signal.js'

/** Decides when a delivery happens: at the next turn of the event loop, or when a simulation says so. */
export type Deliver = (delivery: () => void) => void

/**
 * Links between threads that are only simulated: all of them on one real thread. Signals are cloned as a port would
 * clone them and arrive one by one, whenever `deliver` lets them.
 */
export class MemoryCarrier implements Carrier {
  readonly #ends: MemoryLink[] = []
  readonly #deliver: Deliver

  constructor(deliver: Deliver) {
    this.#deliver = deliver
  }

  pair(): readonly [LinkEnd, LinkEnd] {
    const [a, b] = MemoryLink.pair(this.#deliver)
    const first = this.#ends.push(a, b) - 2
    return [first, first + 1]
  }

  attach(end: LinkEnd, peer: number, _batch: Batch, events: LinkEvents): Link {
    const link = this.#ends[end as number] as MemoryLink
    link.attach(peer, events)
    return link
  }
}

class MemoryLink implements Link {
  peer = -1
  readonly #deliver: Deliver
  readonly #early: (() => void)[] = []
  #events: LinkEvents | undefined
  #other!: MemoryLink
  #open = true

  private constructor(deliver: Deliver) {
    this.#deliver = deliver
  }

  static pair(deliver: Deliver): [MemoryLink, MemoryLink] {
    const a = new MemoryLink(deliver)
    const b = new MemoryLink(deliver)
    a.#other = b
    b.#other = a
    return [a, b]
  }

  attach(peer: number, events: LinkEvents): void {
    this.peer = peer
    this.#events = events
    for (const arrival of this.#early.splice(0)) arrival()
  }

  send(signal: Signal, transfer?: Transfer): void {
    if (!this.#open) return
    const cloned = moved(signal, transfer) as Signal
    this.#deliver(() => this.#other.#arrive(() => this.#other.#events?.receive([cloned], this.#other.peer)))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#deliver(() => this.#other.#arrive(() => this.#other.#closed()))
  }

  #arrive(arrival: () => void): void {
    if (this.#events === undefined) this.#early.push(arrival)
    else if (this.#open) arrival()
  }

  #closed(): void {
    this.#open = false
    this.#events?.closed(this.peer)
  }
}
