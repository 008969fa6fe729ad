import { BeamlineError } from '../errors.js'
import { release } from './growable-memory.js'

// The buffer: the writer's word, the reader's words, each on a cache line of their own, then the records. A position
// counts all bytes that ever went through, modulo 2^32; the place of its byte is the position modulo the size. A record
// is [bytes of its payload, kind, payload], begins at a multiple of 8 and never crosses the end of the buffer.
const TAIL = 0
const HEAD = 16
/** How many signals the reader has taken that went another way, as there was no room. */
const TAKEN = 17
/** Whether there is a reader. */
const ATTACHED = 18
const HEADER_BYTES = 128
const RECORD_HEADER = 8
const ALIGN = 7

/** Bytes that travel together from core to core. */
const LINE = 64

/** Fills the rest of the buffer, where the next record does not fit. */
const SKIP = 0

/** What is sent next begins at the front again where so much has gone by and nothing waits: an idle ring stays small. */
const STRETCH = 16_384

/** Milliseconds for a reader that makes no progress, and in all, before there is no room. */
const PATIENCE = 10
const MOST_PATIENCE = 100

/** Bytes of the largest payload in a ring of `size` bytes. */
export const largestPayload = (size: number): number => (size >>> 2) - RECORD_HEADER

/**
 * Memory for a ring of `size` bytes, a power of two.
 * @throws BeamlineError INVALID_TYPE
 */
export function createRing(size: number): SharedArrayBuffer {
  if (size < 1024 || size > 2 ** 30 || (size & (size - 1)) !== 0)
    throw new BeamlineError(
      'INVALID_TYPE',
      `a ring has no size of ${size} bytes: give a power of two from 1024 to 2^30`,
    )
  return new SharedArrayBuffer(HEADER_BYTES + size)
}

/**
 * The sending end of a ring: one thread writes, one reads, no locks. A record is written where nobody reads yet, and seen
 * once the tail behind it is stored: a writer that dies anywhere leaves nothing torn.
 */
export class RingWriter {
  readonly size: number
  readonly #ints: Int32Array
  /** Where the next record begins, how far the reader is known to be, and what it has been shown. */
  #tail = 0
  #head = 0
  #published = 0
  /** Where the record begins that was committed last; where the next one will, when that is shown already. */
  #last = 0
  /** Where the stretch began that the reader has to work off before the writer goes back to the front. */
  #stretch = 0
  /** Whether a record may have been begun: what lies behind the tail may be of it. */
  #isOpen = false

  constructor(memory: SharedArrayBuffer) {
    this.size = memory.byteLength - HEADER_BYTES
    this.#ints = new Int32Array(memory)
    this.#tail = this.#published = this.#last = Atomics.load(this.#ints, TAIL)
    this.#head = Atomics.load(this.#ints, HEAD)
  }

  /**
   * The byte of the memory at which a payload of up to `bytes` bytes may be written, or -1 while there is no room for it.
   * Nothing of it is shown until {@link commit}.
   */
  begin(bytes: number): number {
    this.#isOpen = true
    const needed = (RECORD_HEADER + bytes + ALIGN) & ~ALIGN
    let place = this.#tail & (this.size - 1)
    if (place > STRETCH && place >= needed && (this.#tail - this.#stretch) >>> 0 > STRETCH && this.#isEmpty()) {
      this.#skip(place)
      place = 0
    } else if (place + needed > this.size) {
      if (!this.#hasRoom(this.size - place + needed)) return -1
      this.#skip(place)
      place = 0
    }
    if (!this.#hasRoom(needed)) return -1
    return HEADER_BYTES + place + RECORD_HEADER
  }

  /**
   * As {@link begin}, but a reader that is about to make room is waited for, a moment and on this thread's core.
   * @param meanwhile is done again and again
   */
  beginSoon(bytes: number, meanwhile: () => void): number {
    let head = this.#head
    let moved = performance.now()
    const end = moved + MOST_PATIENCE
    for (;;) {
      const at = this.begin(bytes)
      if (at >= 0) return at
      meanwhile()
      const now = performance.now()
      if (now > end || (this.#head === head && now > moved + PATIENCE)) return -1
      if (this.#head !== head) moved = now
      head = this.#head
    }
  }

  /** The payload that {@link begin} gave a place is complete: `bytes` long. */
  commit(kind: number, bytes: number): void {
    this.#isOpen = false
    const at = (HEADER_BYTES + (this.#tail & (this.size - 1))) >>> 2
    this.#ints[at] = bytes
    this.#ints[at + 1] = kind
    this.#last = this.#tail
    this.#tail = (this.#tail + ((RECORD_HEADER + bytes + ALIGN) & ~ALIGN)) | 0
  }

  /**
   * The byte at which up to `bytes` more bytes may be added to the record that was committed last, or -1: when it is shown
   * already, or there is no room behind it. Nothing has happened until {@link extend}.
   */
  more(bytes: number): number {
    const start = this.#last
    if (start === this.#tail) return -1
    const place = start & (this.size - 1)
    const end = RECORD_HEADER + (this.#ints[(HEADER_BYTES + place) >>> 2] as number)
    const needed = (end + bytes + ALIGN) & ~ALIGN
    if (place + needed > this.size || !this.#fits(start, needed)) return -1
    return HEADER_BYTES + place + end
  }

  /** The record that was committed last is so many bytes longer. */
  extend(bytes: number): void {
    const at = (HEADER_BYTES + (this.#last & (this.size - 1))) >>> 2
    const whole = (this.#ints[at] as number) + bytes
    this.#ints[at] = whole
    this.#tail = (this.#last + ((RECORD_HEADER + whole + ALIGN) & ~ALIGN)) | 0
  }

  /**
   * Shows the reader all that was committed: soon, as the store may wait in this core while the program goes on. To wait for
   * it would take longer than all else that a small record does; {@link confirm} does.
   */
  publish(): void {
    const tail = this.#tail
    this.#published = this.#last = tail
    release(this.#ints, TAIL, tail)
    // Takes the next cache line from the reader's core while nobody waits for it: a fifth of a trip there and back.
    if (!this.#isOpen && ((tail - this.#head) >>> 0) + 2 * LINE <= this.size)
      this.#ints[(HEADER_BYTES + ((tail + LINE) & (this.size - 1))) >>> 2] = 0
  }

  /** When this returns, the reader can see all that was published. */
  confirm(): void {
    Atomics.store(this.#ints, TAIL, this.#published)
  }

  /** Whether a reader has come, who finds by himself what was {@link confirm | confirmed} before. */
  get isRead(): boolean {
    return Atomics.load(this.#ints, ATTACHED) === 1
  }

  /** Whether something is committed that the reader cannot see yet. */
  get pending(): boolean {
    return this.#published !== this.#tail
  }

  /** Whether the reader has taken all that was published. */
  get drained(): boolean {
    this.#head = Atomics.load(this.#ints, HEAD)
    return this.#head === this.#published
  }

  /** How many signals that went another way the reader has {@link RingReader.took | taken}. */
  get taken(): number {
    return Atomics.load(this.#ints, TAKEN)
  }

  #isEmpty(): boolean {
    this.#stretch = this.#tail
    this.#head = Atomics.load(this.#ints, HEAD)
    return this.#head === this.#tail
  }

  #hasRoom(bytes: number): boolean {
    return this.#fits(this.#tail, bytes)
  }

  #fits(from: number, bytes: number): boolean {
    if (((from - this.#head) >>> 0) + bytes <= this.size) return true
    this.#head = Atomics.load(this.#ints, HEAD)
    return ((from - this.#head) >>> 0) + bytes <= this.size
  }

  #skip(place: number): void {
    this.commit(SKIP, this.size - place - RECORD_HEADER)
  }
}

/** Takes a record: its kind, and where its payload begins and ends in the memory. The bytes stay until it returns. */
export type TakeRecord = (kind: number, at: number, end: number) => void

/** The receiving end of a ring. */
export class RingReader {
  readonly #ints: Int32Array
  readonly #size: number
  #head: number
  #reading = false

  constructor(memory: SharedArrayBuffer) {
    this.#size = memory.byteLength - HEADER_BYTES
    this.#ints = new Int32Array(memory)
    this.#head = Atomics.load(this.#ints, HEAD)
    Atomics.store(this.#ints, ATTACHED, 1)
  }

  /**
   * Takes every record that is published at this moment. What `take` throws ends the reading behind the record that it was
   * called for.
   * @returns whether there was any
   * @throws BeamlineError CORRUPT for bytes that are no record: nothing behind them can be found then
   */
  read(take: TakeRecord): boolean {
    const tail = Atomics.load(this.#ints, TAIL)
    // What takes a record may come back here: what is behind it is not its turn.
    if (tail === this.#head || this.#reading) return false
    if ((tail - this.#head) >>> 0 > this.#size) throw this.#corrupt(tail, 'no tail')
    this.#reading = true
    let released = this.#head
    try {
      while (this.#head !== tail) {
        const place = this.#head & (this.#size - 1)
        const at = (HEADER_BYTES + place) >>> 2
        const bytes = this.#ints[at] as number
        const kind = this.#ints[at + 1] as number
        const whole = (RECORD_HEADER + bytes + ALIGN) & ~ALIGN
        // Compared with the size first, as the sum of a huge number of bytes would be negative.
        const isRecord = bytes >>> 0 < this.#size && whole <= (tail - this.#head) >>> 0 && place + whole <= this.#size
        if (!isRecord) throw this.#corrupt(place, `no record of ${bytes} bytes`)
        this.#head = (this.#head + whole) | 0
        if (kind !== SKIP) {
          const payload = HEADER_BYTES + place + RECORD_HEADER
          take(kind, payload, payload + bytes)
        }
        // A writer that waits for room need not wait for the whole batch.
        if ((this.#head - released) >>> 0 <= this.#size >>> 6) continue
        released = this.#head
        Atomics.store(this.#ints, HEAD, released)
      }
    } finally {
      Atomics.store(this.#ints, HEAD, this.#head)
      this.#reading = false
    }
    return true
  }

  /** Whether half of the room is taken by what is published. */
  get isHalfFull(): boolean {
    return (Atomics.load(this.#ints, TAIL) - this.#head) >>> 0 >= this.#size >>> 1
  }

  /** Whether a record is published that was not taken yet. */
  get hasMore(): boolean {
    return Atomics.load(this.#ints, TAIL) !== this.#head
  }

  /** The reader has taken a signal that went another way. */
  took(): void {
    Atomics.add(this.#ints, TAKEN, 1)
  }

  #corrupt(place: number, what: string): BeamlineError {
    const text = `the ring has ${what} at byte ${place}: its memory was written by somebody else`
    return new BeamlineError('CORRUPT', text, { details: { place } })
  }
}
