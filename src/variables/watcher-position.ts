import { Pid } from '../threads/pid.js'

/** Words before those of the variables: counts, the watcher's process, the context's process, the latest revision. */
const starts = 0
const resyncs = 1
const watcher = 2
const context = 5
const revision = 8
const variables = 9
/** Instead of the revision of a variable: nothing was told of it; it has been deleted. */
const unknown = -1n
const deleted = -2n

/**
 * Where a watcher stands, in shared memory, so that it outlives the watcher, its thread too. One process at a time writes:
 * the watcher, and after its death its successor. Each word is written at once and in such an order that whoever reads
 * after a death in between takes a change for told only if its callback has come to its end.
 */
export class WatcherPosition {
  readonly #words: BigInt64Array
  readonly #node: string

  /** The memory for a watcher of so many variables. */
  static create(names: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer((variables + names) * BigInt64Array.BYTES_PER_ELEMENT)
    new BigInt64Array(memory).fill(unknown, watcher)
    return memory
  }

  constructor(memory: SharedArrayBuffer, node: string) {
    this.#words = new BigInt64Array(memory)
    this.#node = node
  }

  /** How many processes have been this watcher, the present one included. */
  get starts(): number {
    return this.#get(starts)
  }

  /** How often changes could not be told one by one. */
  get resyncs(): number {
    return this.#get(resyncs)
  }

  /** The latest process. */
  get watcher(): Pid | undefined {
    return this.#pid(watcher)
  }

  /** The context that the revisions belong to. */
  get context(): Pid | undefined {
    return this.#pid(context)
  }

  /** Up to here all is done, but for changes of this last revision; undefined before there is any. */
  get revision(): number | undefined {
    const word = this.#get(revision)
    return word < 0 ? undefined : word
  }

  /** Another process is the watcher now. */
  began(pid: Pid): void {
    this.#setPid(watcher, pid)
    this.#set(starts, this.starts + 1)
  }

  /** Forgets all revisions, the one reached last. */
  reset(): void {
    for (let word = this.#words.length - 1; word >= revision; word--) Atomics.store(this.#words, word, unknown)
  }

  enter(pid: Pid): void {
    this.#setPid(context, pid)
  }

  resynced(): void {
    this.#set(resyncs, this.resyncs + 1)
  }

  /** The revision of the last change of a variable that is done with; undefined before there is any. */
  of(index: number): number | undefined {
    const word = this.#get(variables + index)
    return word < 0 ? undefined : word
  }

  isDeleted(index: number): boolean {
    return Atomics.load(this.#words, variables + index) === deleted
  }

  /** All changes of a variable are done with up to a revision. Comes before {@link reached}. */
  done(index: number, at: number): void {
    this.#set(variables + index, at)
  }

  deleted(index: number): void {
    Atomics.store(this.#words, variables + index, deleted)
  }

  reached(at: number): void {
    if (at > this.#get(revision)) this.#set(revision, at)
  }

  #get(word: number): number {
    return Number(Atomics.load(this.#words, word))
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#words, word, BigInt(value))
  }

  #pid(at: number): Pid | undefined {
    const [thread, slot, generation] = [this.#get(at), this.#get(at + 1), this.#get(at + 2)]
    return thread < 0 ? undefined : new Pid(this.#node, thread, slot, generation)
  }

  #setPid(at: number, pid: Pid): void {
    Atomics.store(this.#words, at, unknown)
    const [thread, slot, generation] = pid.raw
    this.#set(at + 1, slot)
    this.#set(at + 2, generation)
    this.#set(at, thread)
  }
}
