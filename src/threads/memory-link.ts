import type { Batch, Carrier, Link, LinkEnd, LinkEvents } from './link.js'
import { moved, type Transfer } from './payload.js'
import type { Signal } from './signal.js'

/** What is on its way. */
export interface Transit {
  /** The way it takes: one direction of one link, numbered as they were made. Order within it must be kept. */
  readonly way: number
  /** The number of the thread it is for. */
  readonly to: number
  readonly kind: Signal['kind'] | 'closed'
}

/** Decides when a delivery happens: at the next turn of the event loop, or when a simulation says so. */
export type Deliver = (delivery: () => void, transit: Transit) => void

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
    const first = this.#ends.length
    this.#ends.push(...MemoryLink.pair(this.#deliver, first))
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
  readonly #way: number
  readonly #early: (() => void)[] = []
  #events: LinkEvents | undefined
  #other!: MemoryLink
  #open = true

  private constructor(deliver: Deliver, way: number) {
    this.#deliver = deliver
    this.#way = way
  }

  static pair(deliver: Deliver, way: number): [MemoryLink, MemoryLink] {
    const a = new MemoryLink(deliver, way)
    const b = new MemoryLink(deliver, way + 1)
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
    this.#transport(signal.kind, (other) => other.#take(cloned))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#transport('closed', (other) => other.#closed())
  }

  #transport(kind: Transit['kind'], arrival: (other: MemoryLink) => void): void {
    const other = this.#other
    this.#deliver(() => other.#arrive(() => arrival(other)), { way: this.#way, to: this.peer, kind })
  }

  #take(signal: Signal): void {
    this.#events?.arrive(() => this.#events?.receive(signal, this.peer))
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
