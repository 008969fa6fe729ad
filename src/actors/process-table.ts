import { BeamlineError } from '../errors.js'
import { Pid, type RawPid } from '../threads/pid.js'

/** Slots are handed to threads in chunks of this size. */
const CHUNK = 1024

export interface ProcessTableMemory {
  readonly node: string
  readonly buffer: SharedArrayBuffer
}

/**
 * Who is alive, in shared memory: one word for each slot, its generation and a bit for life. Any thread reads it
 * without a message; a slot is written by the thread that owns its chunk, or by main once that thread is dead.
 */
export class ProcessTable {
  readonly memory: ProcessTableMemory
  readonly #owners: Int32Array
  readonly #words: Int32Array
  readonly #free: number[] = []

  private constructor(memory: ProcessTableMemory) {
    this.memory = memory
    const chunks = memory.buffer.byteLength / 4 / (CHUNK + 1)
    this.#owners = new Int32Array(memory.buffer, 0, chunks)
    this.#words = new Int32Array(memory.buffer, chunks * 4)
  }

  static create(node: string, maxProcesses: number): ProcessTable {
    const chunks = Math.ceil(maxProcesses / CHUNK)
    return new ProcessTable({ node, buffer: new SharedArrayBuffer(chunks * (CHUNK + 1) * 4) })
  }

  static attach(memory: ProcessTableMemory): ProcessTable {
    return new ProcessTable(memory)
  }

  /** The address of a new process on `thread`, the calling thread; alive from now on. */
  open(thread: number): Pid {
    const slot = this.#free.pop() ?? this.#claimChunk(thread)
    const generation = ((this.#words[slot] as number) >>> 1) + 1
    Atomics.store(this.#words, slot, (generation << 1) | 1)
    return new Pid(this.memory.node, thread, slot, generation)
  }

  /** The process is dead, for every thread at once. */
  close(pid: Pid): void {
    Atomics.store(this.#words, pid.slot, pid.generation << 1)
    this.#free.push(pid.slot)
  }

  isAlive(pid: { readonly slot: number; readonly generation: number }): boolean {
    return Atomics.load(this.#words, pid.slot) === ((pid.generation << 1) | 1)
  }

  /** The process that is, or was last, in `slot`. */
  inSlot(thread: number, slot: number): Pid {
    return new Pid(this.memory.node, thread, slot, Atomics.load(this.#words, slot) >>> 1)
  }

  /** Every process of a thread that is gone is dead; its chunks may go to another thread. */
  closeThread(thread: number): void {
    for (let chunk = 0; chunk < this.#owners.length; chunk++) {
      if (Atomics.load(this.#owners, chunk) !== thread + 1) continue
      for (let slot = chunk * CHUNK; slot < (chunk + 1) * CHUNK; slot++) Atomics.and(this.#words, slot, ~1)
      Atomics.store(this.#owners, chunk, 0)
    }
  }

  /** Every live process. */
  list(): Pid[] {
    const pids: Pid[] = []
    for (let chunk = 0; chunk < this.#owners.length; chunk++) {
      const owner = Atomics.load(this.#owners, chunk)
      if (owner === 0) continue
      for (let slot = chunk * CHUNK; slot < (chunk + 1) * CHUNK; slot++) {
        const word = Atomics.load(this.#words, slot)
        if ((word & 1) === 1) pids.push(Pid.fromRaw(this.memory.node, [owner - 1, slot, word >>> 1] satisfies RawPid))
      }
    }
    return pids
  }

  #claimChunk(thread: number): number {
    for (let chunk = 0; chunk < this.#owners.length; chunk++) {
      if (Atomics.compareExchange(this.#owners, chunk, 0, thread + 1) !== 0) continue
      for (let slot = (chunk + 1) * CHUNK - 1; slot > chunk * CHUNK; slot--) this.#free.push(slot)
      return chunk * CHUNK
    }
    const limit = this.#words.length
    throw new BeamlineError('OVERFLOW', `${limit} processes are alive: start the system with a larger maxProcesses`)
  }
}
