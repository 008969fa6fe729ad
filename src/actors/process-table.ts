import { BeamlineError } from '../errors.js'
import { Pid, type RawPid } from '../threads/pid.js'

/** Slots are handed to threads in chunks of this size. */
export const CHUNK = 64
/** Chunks beside those for `maxProcesses`, as every thread may have one that it does not fill. */
const SPARE_CHUNKS = 8192

/**
 * Words before the owners of the chunks: how many processes live, how many chunks have ever been used, and where the search
 * for a free one begins.
 */
const LIVING = 0
const USED = 1
const HINT = 2
const HEADER = 3

export interface ProcessTableMemory {
  readonly node: string
  readonly maxProcesses: number
  readonly buffer: SharedArrayBuffer
}

/**
 * Who is alive, in shared memory: one word for each slot, its generation and a bit for life. Any thread reads it
 * without a message; a slot is written by the thread that owns its chunk, or by main once that thread is dead.
 */
export class ProcessTable {
  readonly memory: ProcessTableMemory
  readonly #header: Int32Array
  readonly #owners: Int32Array
  readonly #words: Int32Array
  readonly #free: number[] = []

  private constructor(memory: ProcessTableMemory) {
    this.memory = memory
    const chunks = chunksFor(memory.maxProcesses)
    this.#header = new Int32Array(memory.buffer, 0, HEADER)
    this.#owners = new Int32Array(memory.buffer, HEADER * 4, chunks)
    this.#words = new Int32Array(memory.buffer, (HEADER + chunks) * 4)
  }

  static create(node: string, maxProcesses: number): ProcessTable {
    const words = HEADER + chunksFor(maxProcesses) * (CHUNK + 1)
    return new ProcessTable({ node, maxProcesses, buffer: new SharedArrayBuffer(words * 4) })
  }

  static attach(memory: ProcessTableMemory): ProcessTable {
    return new ProcessTable(memory)
  }

  /**
   * The address of a new process on `thread`, the calling thread; alive from now on.
   * @throws BeamlineError OVERFLOW when as many processes as there may be are alive
   */
  open(thread: number): Pid {
    const { node, maxProcesses } = this.memory
    if (Atomics.add(this.#header, LIVING, 1) >= maxProcesses) {
      Atomics.sub(this.#header, LIVING, 1)
      const text = `${maxProcesses} processes are alive: start the system with a larger maxProcesses`
      throw new BeamlineError('OVERFLOW', text, { details: { maxProcesses } })
    }
    const slot = this.#free.pop() ?? this.#claimChunk(thread)
    const generation = ((this.#words[slot] as number) >>> 1) + 1
    Atomics.store(this.#words, slot, (generation << 1) | 1)
    return new Pid(node, thread, slot, generation)
  }

  /** The process is dead, for every thread at once. */
  close(pid: Pid): void {
    Atomics.store(this.#words, pid.slot, pid.generation << 1)
    Atomics.sub(this.#header, LIVING, 1)
    this.#free.push(pid.slot)
  }

  /** How many processes live. */
  get living(): number {
    return Atomics.load(this.#header, LIVING)
  }

  isAlive(pid: { readonly slot: number; readonly generation: number }): boolean {
    return Atomics.load(this.#words, pid.slot) === ((pid.generation << 1) | 1)
  }

  /** The process that is, or was last, in `slot`. */
  inSlot(thread: number, slot: number): Pid {
    return new Pid(this.memory.node, thread, slot, Atomics.load(this.#words, slot) >>> 1)
  }

  /**
   * Every process of a thread that is gone is dead; its chunks may go to another thread.
   * @returns the generations of those that lived until now, by slot
   */
  closeThread(thread: number): Map<number, number> {
    const living = new Map<number, number>()
    for (const chunk of this.#chunks()) {
      if (Atomics.load(this.#owners, chunk) !== thread + 1) continue
      for (let slot = chunk * CHUNK; slot < (chunk + 1) * CHUNK; slot++) {
        const word = Atomics.and(this.#words, slot, ~1)
        if ((word & 1) === 0) continue
        Atomics.sub(this.#header, LIVING, 1)
        living.set(slot, word >>> 1)
      }
      Atomics.store(this.#owners, chunk, 0)
      this.#mayBeFree(chunk)
    }
    return living
  }

  /** Every live process. */
  list(): Pid[] {
    const pids: Pid[] = []
    for (const chunk of this.#chunks()) {
      const owner = Atomics.load(this.#owners, chunk)
      if (owner === 0) continue
      for (let slot = chunk * CHUNK; slot < (chunk + 1) * CHUNK; slot++) {
        const word = Atomics.load(this.#words, slot)
        if ((word & 1) === 1) pids.push(Pid.fromRaw(this.memory.node, [owner - 1, slot, word >>> 1] satisfies RawPid))
      }
    }
    return pids
  }

  /** The chunks that have ever been used: the first ones. */
  *#chunks(): Iterable<number> {
    for (let chunk = 0; chunk < Atomics.load(this.#header, USED); chunk++) yield chunk
  }

  #claimChunk(thread: number): number {
    const hint = Atomics.load(this.#header, HINT)
    const chunk = this.#claimFrom(hint, thread) ?? this.#claimFrom(0, thread)
    if (chunk !== undefined) {
      Atomics.compareExchange(this.#header, HINT, hint, chunk + 1)
      for (let slot = (chunk + 1) * CHUNK - 1; slot > chunk * CHUNK; slot--) this.#free.push(slot)
      return chunk * CHUNK
    }
    Atomics.sub(this.#header, LIVING, 1)
    const text = `no room for another process: ${this.#owners.length} groups of ${CHUNK} are shared out among the threads`
    throw new BeamlineError('OVERFLOW', text)
  }

  #claimFrom(first: number, thread: number): number | undefined {
    for (let chunk = first; chunk < this.#owners.length; chunk++) {
      if (Atomics.load(this.#owners, chunk) !== 0) continue
      if (Atomics.compareExchange(this.#owners, chunk, 0, thread + 1) !== 0) continue
      this.#use(chunk + 1)
      return chunk
    }
    return undefined
  }

  /** One that is freed while another thread moves the hint past it is found when all behind are taken. */
  #mayBeFree(chunk: number): void {
    for (;;) {
      const hint = Atomics.load(this.#header, HINT)
      if (hint <= chunk || Atomics.compareExchange(this.#header, HINT, hint, chunk) === hint) return
    }
  }

  #use(chunks: number): void {
    for (;;) {
      const used = Atomics.load(this.#header, USED)
      if (used >= chunks || Atomics.compareExchange(this.#header, USED, used, chunks) === used) return
    }
  }
}

function chunksFor(maxProcesses: number): number {
  return Math.ceil(maxProcesses / CHUNK) + SPARE_CHUNKS
}
