/** The first words: whose turn it is among the schedulers, and among the system places. */
const TURNS = 16
const SCHEDULER_TURN = 0
const SYSTEM_TURN = 1

/**
 * Words for each place: the thread in it, its beats, the process it last ran. A cache line, as each thread writes its own
 * with every process that it enters.
 */
const WORDS = 16
const THREAD = 0
const BEAT = 1
const RUNNING = 2

export interface RosterMemory {
  readonly buffer: SharedArrayBuffer
  readonly schedulers: number
}

/**
 * The places for threads that several processes share, in shared memory: which thread is in each now, whether it turns
 * its event loop, and what it last ran. First the scheduler places, then the system places.
 */
export class Roster {
  readonly memory: RosterMemory
  readonly #words: Int32Array

  private constructor(memory: RosterMemory) {
    this.memory = memory
    this.#words = new Int32Array(memory.buffer)
  }

  static create(schedulers: number, systems: number): Roster {
    return new Roster({ buffer: new SharedArrayBuffer((TURNS + (schedulers + systems) * WORDS) * 4), schedulers })
  }

  static attach(memory: RosterMemory): Roster {
    return new Roster(memory)
  }

  get places(): number {
    return (this.#words.length - TURNS) / WORDS
  }

  isSystem(place: number): boolean {
    return place >= this.memory.schedulers
  }

  /** The next scheduler thread, in turn: all threads share the turn, or the first process of each would go to one. */
  next(): number {
    return this.at(this.#take(SCHEDULER_TURN))
  }

  /** The scheduler thread with this number, modulo their count. */
  at(number: number): number {
    return this.threadIn(number % this.memory.schedulers)
  }

  /** The next thread that runs only the library's own actors, in turn. */
  system(): number {
    const count = this.places - this.memory.schedulers
    return this.threadIn(this.memory.schedulers + (this.#take(SYSTEM_TURN) % count))
  }

  firstSystem(): number {
    return this.threadIn(this.memory.schedulers)
  }

  /** Every thread that has a place. */
  threads(): number[] {
    return Array.from({ length: this.places }, (_, place) => this.threadIn(place))
  }

  threadIn(place: number): number {
    return Atomics.load(this.#words, at(place, THREAD))
  }

  seat(place: number, thread: number): void {
    Atomics.store(this.#words, at(place, RUNNING), 0)
    Atomics.store(this.#words, at(place, BEAT), 0)
    Atomics.store(this.#words, at(place, THREAD), thread)
  }

  /** The thread in `place` lives: its event loop has turned. */
  beat(place: number): void {
    Atomics.add(this.#words, at(place, BEAT), 1)
  }

  /** 0 until the thread in `place` runs. */
  beats(place: number): number {
    return Atomics.load(this.#words, at(place, BEAT))
  }

  /** The thread in `place` enters the code of the process in `slot`. */
  run(place: number, slot: number): void {
    this.#words[at(place, RUNNING)] = slot + 1
  }

  /** The slot of the process that the thread in `place` entered last. */
  running(place: number): number | undefined {
    const slot = Atomics.load(this.#words, at(place, RUNNING))
    return slot === 0 ? undefined : slot - 1
  }

  #take(turn: number): number {
    return Atomics.add(this.#words, turn, 1) >>> 0
  }
}

const at = (place: number, word: number): number => TURNS + place * WORDS + word
