import { MessageChannel } from 'node:worker_threads'
import { Bell } from './bell.js'
import type { Batch, Carrier, Link, LinkEnd, LinkEvents, RingEnd } from './link.js'
import { Poller, type Polling } from './poller.js'
import { createRing } from './ring.js'
import { RingLink } from './ring-link.js'

/** Bytes of each ring of a link that carries little: that of an isolated thread. */
const NARROW = 262_144

/** How links in shared memory are made. */
export interface RingOptions {
  readonly polling: Polling
  /** Bytes of each of the two rings of a link, a power of two. */
  readonly ringSize: number
}

/** Links in shared memory, between real threads. Each thread has a carrier of its own; that of main makes them. */
export class RingCarrier implements Carrier {
  readonly #options: RingOptions | undefined
  readonly #bells = new Map<number, SharedArrayBuffer>()
  #poller: Poller | undefined

  /** @param options for main, where links are made */
  constructor(options?: RingOptions) {
    this.#options = options
  }

  pair(a: number, b: number, narrow: boolean): readonly [LinkEnd, LinkEnd] {
    const { polling, ringSize } = this.#options as RingOptions
    const size = narrow ? Math.min(NARROW, ringSize) : ringSize
    const [one, two] = [createRing(size), createRing(size)]
    const { port1, port2 } = new MessageChannel()
    const [bellA, bellB] = [this.#bellOf(a), this.#bellOf(b)]
    return [
      { port: port1, here: a, inbox: one, outbox: two, bell: bellA, peerBell: bellB, polling },
      { port: port2, here: b, inbox: two, outbox: one, bell: bellB, peerBell: bellA, polling },
    ]
  }

  #bellOf(thread: number): SharedArrayBuffer {
    const known = this.#bells.get(thread)
    if (known !== undefined) return known
    const { memory } = new Bell()
    this.#bells.set(thread, memory)
    return memory
  }

  attach(end: LinkEnd, peer: number, batch: Batch, events: LinkEvents): Link {
    const taken = end as RingEnd
    this.#poller ??= new Poller(new Bell(taken.bell), taken.polling)
    return new RingLink(peer, taken, batch, events, this.#poller)
  }

  doze(): void {
    this.#poller?.doze()
  }

  forget(thread: number): void {
    this.#bells.delete(thread)
  }
}
