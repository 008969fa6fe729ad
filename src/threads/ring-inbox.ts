import { decodeGeneral } from './general-codec.js'
import type { RingEnd } from './link.js'
import { LOST, type Posted, Posts, WAKE } from './posts.js'
import { RingReader } from './ring.js'
import type { Signal } from './signal.js'
import { ELSEWHERE, GENERAL, SignalReader, WIRE } from './signal-codec.js'
import { copyOf, type Wire } from './wire.js'

/** The receiving half of a link in shared memory: puts what comes by the ring and by the port into the order it was sent in. */
export class RingInbox {
  readonly #reader: RingReader
  readonly #decoder: SignalReader
  readonly #memory: Uint8Array
  readonly #posts: Posts
  readonly #receive: (signal: Signal) => void
  /** What was taken out of the ring before its time, to make room. */
  #early: Signal[] = []
  #taking = false
  #closed = false

  /**
   * @param receive takes each signal, in order
   * @param arrived is told what came over the port while nobody asked; what is to wait is to be {@link keep | kept}
   */
  constructor(end: RingEnd, peer: number, receive: (signal: Signal) => void, arrived: (posted: Posted) => void) {
    this.#reader = new RingReader(end.inbox)
    this.#decoder = new SignalReader(end.inbox, peer, end.here)
    this.#memory = new Uint8Array(end.inbox)
    this.#posts = new Posts(end.port, peer, arrived)
    this.#receive = receive
  }

  get hasMore(): boolean {
    return this.#early.length > 0 || this.#reader.hasMore
  }

  keep(posted: Posted): void {
    this.#posts.keep(posted)
  }

  /** Receives all that is there. */
  readonly read = (): void => {
    while (this.#early.length > 0) this.#receiveEarly()
    this.#reader.read(this.#take)
    for (let posted = this.#posts.nextSpilled(); posted !== undefined; posted = this.#posts.nextSpilled())
      this.#takePosted(posted)
  }

  #receiveEarly(): void {
    const early = this.#early
    this.#early = []
    let received = 0
    try {
      while (received < early.length && !this.#closed) this.#receive(early[received++] as Signal)
    } finally {
      // What one of them led to has thrown: the others are still to come.
      if (received < early.length && !this.#closed) this.#early = [...early.slice(received), ...this.#early]
    }
  }

  /** Receives what the other end sent before it closed, or died. */
  readonly readLast = (): void => {
    this.read()
    for (const spilled of this.#posts.spilled()) this.#takePosted(spilled)
  }

  /**
   * Takes what is in the ring out of it when that is half full: whoever sends without end cannot receive meanwhile, and the
   * peer, which answers, would find no room.
   */
  readonly relieve = (): void => {
    if (!this.#reader.isHalfFull) return
    this.#taking = true
    try {
      this.#reader.read(this.#take)
    } finally {
      this.#taking = false
    }
  }

  close(): void {
    this.#closed = true
  }

  readonly #take = (kind: number, at: number, end: number): void => {
    if (this.#closed) return
    if ((kind & 255) === WIRE) this.#takeWires(kind, at, end)
    else if (kind === ELSEWHERE) this.#takeElsewhere()
    else if (kind === GENERAL) this.#pass(decodeGeneral(this.#memory.subarray(at, end)) as Signal)
    else this.#pass(this.#decoder.read(kind, at, end))
  }

  #takeWires(kind: number, at: number, end: number): void {
    const wire = this.#decoder.read(kind, at, end) as Wire
    try {
      do this.#takeWire(wire)
      while (this.#decoder.next(wire, end) && !this.#closed)
    } catch (error) {
      // What one of them led to: each of the others says only in what it differs from the one before.
      while (this.#decoder.next(wire, end)) this.#early.push(copyOf(wire))
      throw error
    }
  }

  #takeWire(wire: Wire): void {
    if (this.#taking) this.#early.push(copyOf(wire))
    else this.#receive(wire)
  }

  #pass(signal: Signal): void {
    if (this.#taking) this.#early.push(signal)
    else this.#receive(signal)
  }

  /** The signal that a record speaks of, after those that its getters sent. */
  #takeElsewhere(): void {
    for (;;) {
      const posted = this.#posts.next()
      this.#takePosted(posted)
      if (!Array.isArray(posted)) return
    }
  }

  #takePosted(posted: Posted): void {
    if (posted === LOST || posted === WAKE) return
    if (!Array.isArray(posted)) return this.#pass(posted as Signal)
    this.#reader.took()
    this.#pass(posted[0])
  }
}
