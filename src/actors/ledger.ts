import { BeamlineError } from '../errors.js'

/** What is counted, and where. */
const COUNTERS = { deadLetters: 0, droppedReplies: 1, spilled: 2 } as const

export type Counter = keyof typeof COUNTERS

/** Bytes of the counters, in front of the listeners. */
const HEAD = Object.keys(COUNTERS).length * BigInt64Array.BYTES_PER_ELEMENT
/** The most threads that listen. */
const ROOM = 1024

/**
 * What every thread counts together, in shared memory, and which threads want to hear of dead letters: so that nobody is
 * told, and nothing is packed, while nobody listens.
 */
export class Ledger {
  readonly memory: SharedArrayBuffer
  readonly #counters: BigInt64Array
  /** How many threads listen, and a place for each: its number and one, or 0. */
  readonly #listening: Int32Array

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#counters = new BigInt64Array(memory, 0, Object.keys(COUNTERS).length)
    this.#listening = new Int32Array(memory, HEAD)
  }

  static create(): Ledger {
    return new Ledger(new SharedArrayBuffer(HEAD + (1 + ROOM) * Int32Array.BYTES_PER_ELEMENT))
  }

  static attach(memory: SharedArrayBuffer): Ledger {
    return new Ledger(memory)
  }

  count(what: Counter): void {
    Atomics.add(this.#counters, COUNTERS[what], 1n)
  }

  total(what: Counter): number {
    return Number(Atomics.load(this.#counters, COUNTERS[what]))
  }

  /** The threads that listen. */
  listeners(): number[] {
    const count = Atomics.load(this.#listening, 0)
    const found: number[] = []
    for (let place = 1; found.length < count && place <= ROOM; place++) {
      const thread = Atomics.load(this.#listening, place)
      if (thread !== 0) found.push(thread - 1)
    }
    return found
  }

  /** @throws BeamlineError OVERFLOW when too many threads listen */
  listen(thread: number): void {
    for (let place = 1; place <= ROOM; place++) {
      if (Atomics.compareExchange(this.#listening, place, 0, thread + 1) !== 0) continue
      Atomics.add(this.#listening, 0, 1)
      return
    }
    throw new BeamlineError('OVERFLOW', `${ROOM} threads listen already: let one that listens tell the others`)
  }

  /** `thread` listens no more; harmless when it did not. */
  leave(thread: number): void {
    for (let place = 1; place <= ROOM; place++) {
      if (Atomics.compareExchange(this.#listening, place, thread + 1, 0) !== thread + 1) continue
      Atomics.sub(this.#listening, 0, 1)
      return
    }
  }
}
