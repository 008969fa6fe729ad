import type { MessagePort } from 'node:worker_threads'
import { Bell } from './bell.js'
import { encodeGeneral } from './general-codec.js'
import { type Batch, type Batched, type Link, type LinkEvents, type RingEnd, warnOfLoss } from './link.js'
import type { Transfer } from './payload.js'
import type { Polled, Poller } from './poller.js'
import { MOST_SPILLED, type Posted, tooMany, WAKE } from './posts.js'
import { largestPayload, RingWriter } from './ring.js'
import { RingInbox } from './ring-inbox.js'
import type { Signal } from './signal.js'
import { COMPACT, ELSEWHERE, GENERAL, SignalWriter } from './signal-codec.js'
import { notCloneable } from './tree-copier.js'
import { FULL, UNFIT } from './value-form.js'
import { isQuestion, type Wire } from './wire.js'

/** Records after which a batch is shown, so that the reader need not wait for its end. */
const SHOWN_EVERY = 32
/** A mask: signals sent after which this end looks whether its own inbox fills up meanwhile. */
const RELIEVED_EVERY = 255
/** Bytes of a value that may be added to a record. */
const MORE = 64
/** Bytes of a signal that is better off on the port. */
const LARGE = 65_536

/** A link carried by two rings in shared memory, and a message port for what they cannot carry. */
export class RingLink implements Link, Polled, Batched {
  readonly peer: number
  readonly bit: number
  readonly #port: MessagePort
  readonly #batch: Batch
  readonly #events: LinkEvents
  readonly #poller: Poller
  readonly #writer: RingWriter
  readonly #encoder: SignalWriter
  readonly #inbox: RingInbox
  readonly #outbox: Uint8Array
  readonly #peerBell: Bell
  readonly #ownBit: number
  readonly #waits: boolean
  /** Bytes of the largest signal that goes through the ring. */
  readonly #largest: number
  /** Records of the batch that is open, if it has any of this link. */
  #batched = 0
  #spilled = 0
  #spilling = false
  #writing = false
  #sent = 0
  #unconfirmed = false
  #isRead = false
  #closed = false

  constructor(peer: number, end: RingEnd, batch: Batch, events: LinkEvents, poller: Poller) {
    this.peer = peer
    this.bit = Bell.bitOf(peer)
    this.#port = end.port
    this.#batch = batch
    this.#events = events
    this.#poller = poller
    this.#writer = new RingWriter(end.outbox)
    this.#encoder = new SignalWriter(end.outbox)
    this.#inbox = new RingInbox(
      end,
      peer,
      (signal) => events.receive(signal, peer),
      (posted) => this.#arrived(posted),
    )
    this.#outbox = new Uint8Array(end.outbox)
    this.#peerBell = new Bell(end.peerBell)
    this.#ownBit = Bell.bitOf(end.here)
    this.#waits = end.polling.spin > 0
    this.#largest = Math.min(LARGE, largestPayload(this.#writer.size))
    end.port.on('close', () => this.#ended())
    poller.add(this)
  }

  send(signal: Signal, transfer?: Transfer): void {
    if (this.#closed) return
    if ((++this.#sent & RELIEVED_EVERY) === 0) this.#relieve()
    if (signal.kind === 'wire' && !this.#writing && !this.#spilling && this.#placeWire(signal)) return
    if (this.#writing || (this.#spilling && !this.#caughtUp())) this.#spill(signal, transfer)
    else this.#place(signal, transfer)
    this.#expect(signal.kind === 'call' || (signal.kind === 'wire' && isQuestion(signal)))
  }

  /** Whether nobody looks for the signals of this link: one of its threads waits for more than these. */
  get #dozes(): boolean {
    return this.#peerBell.dozes || this.#poller.dozes
  }

  /** Something was sent: an answer may follow, or is awaited. */
  #expect(answer: boolean): void {
    if (this.#dozes) return
    if (answer) this.#poller.hurry()
    else this.#poller.kick()
  }

  /** The short way of what is sent most: it holds no object, so nothing can come between. @returns false without room */
  #placeWire(wire: Wire): boolean {
    if (this.#batch.open && this.#encoder.follows(wire) && this.#append(wire)) return true
    const at = this.#writer.begin(COMPACT)
    if (at < 0) return false
    const end = this.#encoder.writeWire(wire, at, at + COMPACT)
    if (end < 0) return false
    this.#commit(this.#encoder.kind, end - at)
    this.#expect(isQuestion(wire))
    return true
  }

  /** Into the record of the message before it, which nobody has seen yet. */
  #append(wire: Wire): boolean {
    const at = this.#writer.more(MORE)
    if (at < 0) return false
    const end = this.#encoder.append(wire, at, at + MORE)
    if (end < 0) return false
    this.#writer.extend(end - at)
    if (++this.#batched % SHOWN_EVERY === 0) this.#show()
    return true
  }

  /** A getter in what is sent may itself send: that goes over the port, as here the record is not complete. */
  #place(signal: Signal, transfer?: Transfer): void {
    this.#writing = true
    try {
      if (transfer !== undefined && transfer.length > 0) this.#elsewhere(signal, transfer)
      else this.#write(signal)
    } finally {
      this.#writing = false
    }
  }

  #write(signal: Signal): void {
    let end = this.#compact(signal, COMPACT)
    if (end === FULL) end = this.#compact(signal, this.#largest)
    if (end === FULL || end === UNFIT) this.#general(signal)
  }

  /** @returns FULL or UNFIT for a signal that is still to be sent, as of {@link SignalWriter} */
  #compact(signal: Signal, room: number): number {
    const at = this.#room(room)
    if (at < 0) {
      this.#spill(signal)
      return 0
    }
    let end = UNFIT
    try {
      end = this.#encoder.write(signal, at, at + room)
    } catch {
      // A getter threw: cloning says so as it does for all else that cannot be sent.
    }
    if (end >= 0) this.#commit(this.#encoder.kind, end - at)
    return end
  }

  /** What the compact form cannot hold. */
  #general(signal: Signal): void {
    const bytes = encodeGeneral(signal.kind === 'wire' ? { ...signal } : signal)
    if (bytes === undefined || bytes.length > this.#largest) return this.#elsewhere(signal)
    const at = this.#room(bytes.length)
    if (at < 0) return this.#spill(signal)
    this.#outbox.set(bytes, at)
    this.#commit(GENERAL, bytes.length)
  }

  /** The port first: who reads the record must find what it speaks of. */
  #elsewhere(signal: Signal, transfer?: Transfer): void {
    const at = this.#room(0)
    if (at < 0) return this.#spill(signal, transfer)
    if (this.#post(signal, signal, transfer)) this.#commit(ELSEWHERE, 0)
  }

  #commit(kind: number, bytes: number): void {
    // Only a compact message may be followed by another in the same record.
    this.#encoder.kind = kind
    this.#writer.commit(kind, bytes)
    if (!this.#batch.open) return this.#show()
    if (this.#batched === 0) this.#batch.add(this)
    if (++this.#batched % SHOWN_EVERY === 0) this.#show()
  }

  #show(): void {
    this.#writer.publish()
    if (!this.#isRead && !this.#isReadNow()) return
    // Nobody will be there to confirm it a turn later.
    if (this.#dozes) this.#writer.confirm()
    else this.#unconfirmed = true
    if (this.#peerBell.raise(this.#ownBit)) this.#port.postMessage(WAKE)
  }

  /**
   * A peer that has not taken its end of the link yet must not be woken: the message that would do that would wait in its
   * end, and others would think that it had been woken. It looks for itself when it comes.
   */
  #isReadNow(): boolean {
    this.#writer.confirm()
    this.#isRead = this.#writer.isRead
    return this.#isRead
  }

  confirm(): void {
    if (!this.#unconfirmed || this.#closed) return
    this.#unconfirmed = false
    this.#writer.confirm()
    if (this.#peerBell.raise(this.#ownBit)) this.#port.postMessage(WAKE)
  }

  flush(): void {
    this.#batched = 0
    if (this.#writer.pending && !this.#closed) this.#show()
  }

  /** Where `bytes` may be written, or -1: a reader that is about to make room is waited for. */
  #room(bytes: number): number {
    const at = this.#writer.begin(bytes)
    if (at >= 0 || !this.#waits) return at
    if (this.#writer.pending) this.#show()
    // The peer may itself wait for room here.
    return this.#writer.beginSoon(bytes, this.#relieve)
  }

  /** The call to wake up may be among what was taken: whoever sleeps would not hear of the rest. */
  readonly #relieve = (): void => {
    this.#inbox.relieve()
    if (this.#dozes && this.#inbox.hasMore) this.#poller.kick()
  }

  /**
   * The ring is full: this signal and all after it go over the port, until the reader has caught up. They cannot wait
   * here: a thread that is killed would take with it what its processes have sent.
   */
  #spill(signal: Signal, transfer?: Transfer): void {
    if (signal.kind === 'message' && this.#spilled - this.#writer.taken >= MOST_SPILLED) throw tooMany(this.peer)
    if (this.#writer.pending) this.#show()
    if (!this.#post(signal, [signal], transfer)) return
    this.#spilling = true
    this.#spilled = (this.#spilled + 1) | 0
    this.#events.spilled?.()
  }

  #caughtUp(): boolean {
    if (this.#writer.taken !== this.#spilled || !this.#writer.drained) return false
    this.#spilling = false
    return true
  }

  /**
   * Only cloning itself finds out about a proxy or a buffer that has been transferred before. Within a batch nobody is told
   * who sent it: whoever waits for it is.
   */
  #post(signal: Signal, posted: Posted, transfer: Transfer | undefined): boolean {
    try {
      this.#port.postMessage(posted, transfer)
      return true
    } catch (cause) {
      const error = notCloneable(signal, '', cause)
      if (!this.#batch.open) throw error
      warnOfLoss(`a ${signal.kind} to thread ${this.peer} was lost, as it cannot be cloned`, cause)
      this.#events.lost?.(signal, error)
      return false
    }
  }

  #arrived(posted: Posted): void {
    if (posted === WAKE) return this.#dozes ? this.#poller.stirred() : this.#poller.woken()
    this.#inbox.keep(posted)
    try {
      this.drain()
    } finally {
      // The call to wake up may have been taken with what a record in the ring spoke of.
      if (this.#dozes) this.#poller.stirred()
      else this.#poller.kick()
    }
  }

  get hasMore(): boolean {
    return this.#inbox.hasMore
  }

  drain(): void {
    if (!this.#closed) this.#events.arrive(this.#inbox.read)
  }

  /** The other end is closed, or its thread dead: what it had sent comes first. */
  #ended(): void {
    if (!this.#closed) this.#events.arrive(this.#inbox.readLast)
    this.#closeInbox()
    this.#events.closed(this.peer)
  }

  close(): void {
    this.flush()
    this.#closeInbox()
    this.#port.close()
  }

  #closeInbox(): void {
    this.#closed = true
    this.#inbox.close()
    this.#poller.remove(this)
  }
}
