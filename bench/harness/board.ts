import { setImmediate } from 'node:timers/promises'

/** Shared memory on which another thread says when it was done with a round of work. */
export class Board {
  readonly memory: SharedArrayBuffer
  readonly #rounds: Int32Array
  readonly #time: BigInt64Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(16)) {
    this.memory = memory
    this.#rounds = new Int32Array(memory, 0, 1)
    this.#time = new BigInt64Array(memory, 8, 1)
  }

  /** Done, now. */
  mark(): void {
    this.#time[0] = process.hrtime.bigint()
    Atomics.add(this.#rounds, 0, 1)
    Atomics.notify(this.#rounds, 0)
  }

  /** The rounds that were done. */
  get rounds(): number {
    return Atomics.load(this.#rounds, 0)
  }

  /** When the round was done. Lets go of the core meanwhile, so that the others have it, but for short turns. */
  async reached(round: number): Promise<bigint> {
    for (let rounds = this.rounds; rounds < round; rounds = this.rounds) {
      Atomics.wait(this.#rounds, 0, rounds, 1)
      if (this.rounds < round) await setImmediate()
    }
    return this.#time[0] as bigint
  }
}
