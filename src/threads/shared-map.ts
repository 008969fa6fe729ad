import { BeamlineError } from '../errors.js'
import { createGrowable, ensureBytes, fence } from './growable-memory.js'
import {
  bucketsAt,
  bytesAt,
  emptyMap,
  epochAt,
  hashAt,
  headsAt,
  nextAt,
  nodeHeader,
  recoverNodes,
  sizeClass,
  versionAt,
  type WriterState,
} from './map-nodes.js'
import { maxKeyWords, PackedKey, unpackKey } from './packed-key.js'

/** What another thread needs to read a {@link SharedMap}; send it in any message. */
export interface SharedMapMemory {
  readonly buffer: SharedArrayBuffer
  /** How many int32 words each entry has. */
  readonly words: number
}

/** How to make a {@link SharedMap}. */
export interface SharedMapOptions {
  /** How many int32 words each entry has. */
  words: number
  /** How many chains the keys are spread over, rounded up to a power of two; fixed for good. Default 4096. */
  buckets?: number
  /** How large the map may grow; only address space until it is used. Default 64 MiB. */
  maxBytes?: number
}

const spins = 20_000
const naps = 100

/**
 * A hash map in shared memory from short strings to a few int32 words: one writer thread, any number of reader threads,
 * no locks.
 *
 * A key is inserted and deleted by one atomic store each, so a writer that dies anywhere leaves a whole map behind. An
 * entry's index stays the same as long as its key is in the map; afterwards it may be given to another key, and
 * {@link epoch} changes before that happens.
 */
export class SharedMap {
  readonly memory: SharedMapMemory
  readonly #words: number
  readonly #mask: number
  readonly #nodeWords: number
  readonly #writer: WriterState | undefined
  readonly #key = new PackedKey()
  #ints: Int32Array<SharedArrayBuffer>
  #lastEntry: number

  private constructor(memory: SharedMapMemory, writer?: WriterState) {
    this.memory = memory
    this.#words = memory.words
    this.#nodeWords = memory.words + maxKeyWords
    this.#ints = wholeView(memory.buffer)
    this.#lastEntry = this.#ints.length - this.#nodeWords
    this.#mask = this.#at(bucketsAt) - 1
    this.#writer = writer
  }

  /** Makes an empty map whose only writer is the calling thread. */
  static create(options: SharedMapOptions): SharedMap {
    const { words, maxBytes = 64 * 1024 * 1024 } = options
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(1, options.buckets ?? 4096)))
    const state = emptyMap(buckets)
    const buffer = createGrowable(4 * state.end, maxBytes)
    ensureBytes(buffer, 4 * state.end)
    new Int32Array(buffer, 0, state.end)[bucketsAt] = buckets
    return new SharedMap({ buffer, words }, state)
  }

  /** Makes the calling thread the only writer of a map whose writer has died, wherever that was. */
  static recover(memory: SharedMapMemory): SharedMap {
    return new SharedMap(memory, recoverNodes(wholeView(memory.buffer), memory.words))
  }

  /** Opens a map that another thread writes: everything but {@link insert}, {@link delete} and {@link keys}. */
  static attach(memory: SharedMapMemory): SharedMap {
    return new SharedMap(memory)
  }

  /** Changes before the index of a deleted entry is given to another key: what was found before must be found again. */
  get epoch(): number {
    return Atomics.load(this.#ints, epochAt)
  }

  /** Gives `key` these words, in place when it is in the map, and returns its entry. Throws OVERFLOW when full. */
  insert(key: string, words: readonly number[]): number {
    const writer = this.#writerState()
    if (words.length !== this.#words) {
      throw new BeamlineError('INVALID_TYPE', `an entry of this map has ${this.#words} words, not ${words.length}`)
    }
    const { hash } = this.#key.pack(key)
    const present = this.#walk(hash)
    if (present >= 0) {
      this.#replace(present, words)
      return present
    }
    const entry = this.#allocate(writer)
    const ints = this.#ints
    const head = headsAt + (hash & this.#mask)
    ints[entry + nextAt] = this.#at(head)
    ints[entry + hashAt] = hash
    ints[entry + bytesAt] = this.#key.bytes
    for (let i = 0; i < this.#words; i++) ints[entry + i] = words[i] as number
    const packed = this.#key
    for (let i = 0; i < packed.length; i++) ints[entry + this.#words + i] = packed.words[i] as number
    Atomics.store(ints, head, entry)
    return entry
  }

  /** Takes `key` out, and says whether it was there. */
  delete(key: string): boolean {
    const writer = this.#writerState()
    const { hash } = this.#key.pack(key)
    const entry = this.#walk(hash)
    if (entry < 0) return false
    let link = headsAt + (hash & this.#mask)
    while (this.#at(link) !== entry) link = this.#at(link) + nextAt
    // The node keeps its own `next`: a reader that stands on it goes on along the chain it came by.
    Atomics.store(this.#ints, link, this.#at(entry + nextAt))
    writer.free[sizeClass(this.#at(entry + bytesAt))]?.push(entry)
    return true
  }

  /** Entries that keys may get again: what they hold is what the last key left. */
  *free(): IterableIterator<number> {
    for (const entries of this.#writerState().free) yield* entries
  }

  /** Every key; those that are inserted or deleted meanwhile may be among them or not. */
  *keys(): IterableIterator<string> {
    this.#writerState()
    for (let bucket = 0; bucket <= this.#mask; bucket++) {
      const chain: string[] = []
      for (let entry = this.#at(headsAt + bucket); entry !== 0; entry = this.#at(entry + nextAt)) {
        chain.push(unpackKey(this.#ints, entry + this.#words, this.#at(entry + bytesAt)))
      }
      yield* chain
    }
  }

  /** The entry of `key`, or -1. */
  find(key: string): number {
    const { hash } = this.#key.pack(key)
    for (let attempt = 0; ; attempt++) {
      const epoch = Atomics.load(this.#ints, epochAt)
      const entry = this.#walk(hash)
      fence()
      if (Atomics.load(this.#ints, epochAt) === epoch) return entry
      this.#pause(epochAt, epoch, attempt)
    }
  }

  /** A copy of the words of `key`, all from one {@link insert}. UNAVAILABLE when the writer died while replacing them. */
  read(key: string): Int32Array | undefined {
    const { hash } = this.#key.pack(key)
    for (let attempt = 0; ; attempt++) {
      const epoch = Atomics.load(this.#ints, epochAt)
      const entry = this.#walk(hash)
      if (entry < 0) {
        fence()
        if (Atomics.load(this.#ints, epochAt) === epoch) return undefined
        this.#pause(epochAt, epoch, attempt)
        continue
      }
      const version = Atomics.load(this.#ints, entry + versionAt)
      const copy = new Int32Array(this.#words)
      for (let i = 0; i < copy.length; i++) copy[i] = this.#at(entry + i)
      fence()
      const same = Atomics.load(this.#ints, entry + versionAt) === version && (version & 1) === 0
      if (same && Atomics.load(this.#ints, epochAt) === epoch) return copy
      this.#pause(entry + versionAt, version, attempt)
    }
  }

  /** One word of an entry. */
  load(entry: number, word: number): number {
    return Atomics.load(this.view(entry), entry + word)
  }

  /** Sets one word of an entry, from any thread. */
  store(entry: number, word: number, value: number): void {
    Atomics.store(this.view(entry), entry + word, value)
  }

  /** Sets one word of an entry if it is `expected`, from any thread, and says whether it was. */
  compareExchange(entry: number, word: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.view(entry), entry + word, expected, value) === expected
  }

  /** The memory in which `entry`'s words begin at index `entry`, for a caller that brings its own ordering. */
  view(entry: number): Int32Array<SharedArrayBuffer> {
    if (entry > this.#lastEntry) this.#refresh()
    return this.#ints
  }

  #replace(entry: number, words: readonly number[]): void {
    const ints = this.#ints
    Atomics.add(ints, entry + versionAt, 1)
    fence()
    for (let i = 0; i < this.#words; i++) ints[entry + i] = words[i] as number
    Atomics.add(ints, entry + versionAt, 1)
  }

  /**
   * The entry of the key that was packed last. Reuse can lead a reader astray: it stands on node A, A is
   * deleted and given to a key of another chain, the reader follows A's new `next` and misses its own key. So readers
   * look at the epoch before and after: it advances before A is touched again.
   */
  #walk(hash: number): number {
    const bytes = this.#key.bytes
    for (let entry = this.#at(headsAt + (hash & this.#mask)); entry !== 0; entry = this.#at(entry + nextAt)) {
      if (entry > this.#lastEntry) {
        // The growth was before the store of this index: it must not be looked for before the index was read.
        fence()
        this.#refresh()
      }
      if (this.#at(entry + hashAt) === hash && this.#at(entry + bytesAt) === bytes && this.#hasKey(entry)) return entry
    }
    return -1
  }

  #hasKey(entry: number): boolean {
    const keyAt = entry + this.#words
    const { words, length } = this.#key
    for (let i = 0; i < length; i++) if (this.#at(keyAt + i) !== words[i]) return false
    return true
  }

  #allocate(writer: WriterState): number {
    const size = sizeClass(this.#key.bytes)
    const reused = writer.free[size]?.pop()
    if (reused !== undefined) {
      Atomics.add(this.#ints, epochAt, 1)
      fence()
      return reused
    }
    const entry = writer.end + nodeHeader
    const end = entry + this.#words + 2 ** size
    ensureBytes(this.memory.buffer, 4 * end)
    this.#refresh()
    writer.end = end
    return entry
  }

  #at(index: number): number {
    return this.#ints[index] as number
  }

  #refresh(): void {
    if (this.memory.buffer.byteLength >>> 2 === this.#ints.length) return
    this.#ints = wholeView(this.memory.buffer)
    this.#lastEntry = this.#ints.length - this.#nodeWords
  }

  /** Before another attempt: first at once, then with naps that let a writer without a core go on, then not at all. */
  #pause(index: number, value: number, attempt: number): void {
    if (attempt < spins) return
    if (attempt >= spins + naps) {
      throw new BeamlineError(
        'UNAVAILABLE',
        'the shared map never came to rest: its writer died or stalled inside a change',
      )
    }
    Atomics.wait(this.#ints, index, value, 1)
  }

  #writerState(): WriterState {
    if (this.#writer !== undefined) return this.#writer
    throw new BeamlineError(
      'UNAVAILABLE',
      'only the thread that created this shared map may insert, delete or list keys',
    )
  }
}

const wholeView = (buffer: SharedArrayBuffer): Int32Array<SharedArrayBuffer> =>
  new Int32Array(buffer, 0, buffer.byteLength >>> 2)
