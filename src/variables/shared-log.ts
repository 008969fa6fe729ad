import { randomFillSync } from 'node:crypto'
import { BeamlineError } from '../errors.js'
import { release } from '../threads/growable-memory.js'
import { defined, LogHalf, type LogKind, type LogRecord } from './log-half.js'
import type { Tag } from './value-codec.js'

/** The memory of a {@link SharedLog}. */
export interface SharedLogMemory {
  readonly head: SharedArrayBuffer
  readonly halves: readonly [SharedArrayBuffer, SharedArrayBuffer]
}

// The head, in int32 words: [where the log ends: units * 2 + half], [units of half 0 while it is the older], [of half 1],
// [numbers given to variables]; then, as doubles, the last revision before each half begins; then, in int32 words again,
// [whether the context has ended], [its link to a session elsewhere]; then 16 bytes, the incarnation, all 0 while it is
// unknown; then, as doubles, [how far it is ahead], [the last proof of life from there].
const endAt = 0
const sealedAt = 1
const numbersAt = 3
const beforeAt = 2
const endedAt = 8
export const linkAt = 9
const incarnationAt = 40
const incarnationBytes = 16
export const lagAt = 7
export const proofAt = 8
const headBytes = 72
/** A half with so many units is full, however few changes it has: 64 MiB. */
const fullUnits = 8 * 1024 * 1024

/**
 * The latest commits of a context, in shared memory that outlives its thread, so that a watch may begin where another
 * ended and a context go on where it died.
 *
 * There are two halves. One is written from the front, and when it is full the other, the older, is dropped and starts
 * over. A commit, of however many changes, becomes real by the one store of where the log ends, which comes after its
 * bytes: a thread that dies before it leaves nothing of the commit, one that dies after it leaves all.
 */
export class SharedLog {
  readonly memory: SharedLogMemory
  readonly #limit: number
  readonly #halves: readonly [LogHalf, LogHalf]
  readonly #words: Int32Array
  readonly #before: Float64Array
  #half: 0 | 1
  /** Where the published records of this half end, and those that were appended. */
  #end: number
  #next: number
  /** The changes that this half has. */
  #changes = 0
  #revision: number

  private constructor(memory: SharedLogMemory, limit: number) {
    this.memory = memory
    this.#limit = limit
    this.#halves = [new LogHalf(memory.halves[0]), new LogHalf(memory.halves[1])]
    this.#words = new Int32Array(memory.head)
    this.#before = new Float64Array(memory.head, 0, 4)
    const end = Atomics.load(this.#words, endAt)
    this.#half = (end & 1) as 0 | 1
    this.#end = this.#next = end >>> 1
    this.#revision = this.#before[beforeAt + this.#half] as number
    for (const at of places(this.#current, this.#end)) {
      if (this.#current.kindAt(at) !== defined) this.#changes++
      this.#revision = this.#current.revisionAt(at)
    }
  }

  /** @param limit how many changes are kept at least; up to twice as many are */
  static create(limit: number): SharedLog {
    const halves = [new LogHalf().buffer, new LogHalf().buffer] as const
    const head = new SharedArrayBuffer(headBytes)
    randomFillSync(new Uint8Array(head, incarnationAt, incarnationBytes))
    return new SharedLog({ head, halves }, limit)
  }

  /** Goes on with the log of a writer that has died. */
  static recover(memory: SharedLogMemory, limit: number): SharedLog {
    return new SharedLog(memory, limit)
  }

  /** Leaves word that the context has ended: a thread that dies under it cannot. */
  static end({ head }: SharedLogMemory): void {
    Atomics.store(new Int32Array(head), endedAt, 1)
  }

  /** Whether the context has ended; of one that has not, only the thread can have died. */
  static hasEnded({ head }: SharedLogMemory): boolean {
    return Atomics.load(new Int32Array(head), endedAt) === 1
  }

  /** In hex: another for each log whose revisions do not go on from those of another; '' while nobody can say. */
  get incarnation(): string {
    const bytes = Buffer.from(this.memory.head, incarnationAt, incarnationBytes)
    return bytes.every((byte) => byte === 0) ? '' : bytes.toString('hex')
  }

  set incarnation(hex: string) {
    const bytes = Buffer.from(this.memory.head, incarnationAt, incarnationBytes)
    bytes.fill(0)
    bytes.write(hex, 'hex')
  }

  /** The last commit. */
  get revision(): number {
    return this.#revision
  }

  /** The highest revision of which something is no longer kept. */
  get compacted(): number {
    const oldest = this.#sealed === 0 ? this.#half : this.#other
    return this.#before[beforeAt + oldest] as number
  }

  /** How many numbers were given to variables, so that none is given twice. */
  get numbers(): number {
    return this.#words[numbersAt] as number
  }

  set numbers(count: number) {
    this.#words[numbersAt] = count
  }

  /** Whether a commit of so many units has to go into the other half. */
  isFull(units: number): boolean {
    return this.#changes >= this.#limit || (this.#end > 0 && this.#end + units > fullUnits)
  }

  /** The last revision that {@link turn} would drop. */
  get dropping(): number {
    return this.#before[beforeAt + this.#half] as number
  }

  /** Drops the older half and goes on in its place. Until something is published there this half is the log. */
  turn(): void {
    Atomics.store(this.#words, sealedAt + this.#other, 0)
    Atomics.store(this.#words, sealedAt + this.#half, this.#end)
    this.#half = this.#other
    this.#before[beforeAt + this.#half] = this.#revision
    this.#end = this.#next = 0
    this.#changes = 0
  }

  /** Forgets all that it has: the next commit follows on `revision`. */
  restart(revision: number): void {
    Atomics.store(this.#words, sealedAt + this.#half, 0)
    Atomics.store(this.#words, sealedAt + this.#other, 0)
    this.#half = this.#other
    this.#before[beforeAt + this.#half] = revision
    this.#end = this.#next = 0
    this.#changes = 0
    this.publish(revision)
  }

  /** Makes room for a commit of so many units. @throws BeamlineError OVERFLOW */
  reserve(units: number): void {
    this.#next = this.#end
    this.#current.ensure(this.#end + units)
  }

  /** Writes a part of the next commit, for which room was made. */
  append(
    kind: LogKind,
    number: number,
    revision: number,
    version: number,
    timestamp: number,
    tag: Tag,
    content: unknown,
    tagBefore: Tag,
    before: unknown,
    said?: Buffer,
  ): void {
    this.#next = this.#current.write(
      this.#next,
      kind,
      number,
      revision,
      version,
      timestamp,
      tag,
      content,
      tagBefore,
      before,
      said,
    )
    if (kind !== defined) this.#changes++
  }

  /** Writes a number that follows on a number, as a commit of its own. Room was made for it. */
  commitNumber(
    number: number,
    revision: number,
    version: number,
    timestamp: number,
    value: number,
    before: number,
  ): void {
    this.#next = this.#current.writeNumber(this.#end, number, revision, version, timestamp, value, before)
    this.#changes++
    this.publish(revision)
  }

  /** Makes what was appended the commit of this revision. */
  publish(revision: number): void {
    release(this.#words, endAt, (this.#next << 1) | this.#half)
    this.#end = this.#next
    this.#revision = revision
  }

  /** All that is kept, oldest first. */
  *records(): IterableIterator<LogRecord> {
    for (const [half, at] of this.#places()) yield half.read(at)
  }

  /**
   * What is kept of some variables after a revision.
   * @throws BeamlineError COMPACTED when something after it is no longer kept
   */
  *since(revision: number, isWanted: (number: number) => boolean): IterableIterator<LogRecord> {
    const { compacted } = this
    if (revision < compacted) {
      const text = `changes after revision ${revision} are no longer all kept: begin at ${compacted} or later`
      throw new BeamlineError('COMPACTED', text, { details: { revision, compacted } })
    }
    for (const [half, at] of this.#places())
      if (half.revisionAt(at) > revision && half.kindAt(at) !== defined && isWanted(half.numberAt(at)))
        yield half.read(at)
  }

  *#places(): IterableIterator<[LogHalf, number]> {
    const older = this.#halves[this.#other]
    for (const at of places(older, this.#sealed)) yield [older, at]
    for (const at of places(this.#current, this.#end)) yield [this.#current, at]
  }

  get #current(): LogHalf {
    return this.#halves[this.#half]
  }

  get #other(): 0 | 1 {
    return (1 - this.#half) as 0 | 1
  }

  /** Where the older half ends. */
  get #sealed(): number {
    return this.#words[sealedAt + this.#other] as number
  }
}

function* places(half: LogHalf, end: number): IterableIterator<number> {
  for (let at = 0; at < end; at = half.next(at)) yield at
}
