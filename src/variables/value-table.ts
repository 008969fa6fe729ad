import { deserialize, serialize } from 'node:v8'
import { BeamlineError } from '../errors.js'
import { createGrowable, fence } from '../threads/growable-memory.js'
import { SharedMap, type SharedMapMemory } from '../threads/shared-map.js'
import { RegionHeap, regionFor } from './region-heap.js'

/** What another thread needs to read a {@link ValueTable}; send it in any message. */
export interface ValueTableMemory {
  readonly index: SharedMapMemory
  readonly data: SharedArrayBuffer
}

/** How large a {@link ValueTable} may grow. */
export interface ValueTableOptions {
  /** How many chains the names are spread over; fixed for good. Default 256. */
  buckets?: number
  /** How many bytes of strings and objects it may hold, two copies each; only address space until used. Default 64 MiB. */
  maxBytes?: number
}

/** A variable's value and the version it was written with. */
export interface TableValue {
  readonly value: unknown
  readonly version: number
}

const absent = 0
const numeric = 1
const yes = 2
const no = 3
const nothing = 4
const missing = 5
const ascii = 6
const utf16 = 7
const structured = 8
type Tag = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

// An entry: [sequence, side 0, side 1]; a side: [tag, version, number or byte length, region offset, log2 of its size].
const versionAt = 1
const numberAt = 3
const offsetAt = 5
const regionAt = 6
const sideWords = 7
const entryWords = 1 + 2 * sideWords

const attempts = 100_000
/** The log2 of the largest region that a side keeps whatever smaller value it holds. */
const keptRegion = 12
const torn = Symbol('torn')

/**
 * The current values of one context's variables: written by one thread, read by any thread, synchronously.
 *
 * Each variable has two sides. A write fills the side that is not current and then makes it current by one store of the
 * sequence: odd while a side is being filled, even when it is published. So there is always a whole value to read,
 * also when the writer died in the middle of the next one, and a reader starts over only if it was overtaken twice.
 */
export class ValueTable {
  readonly memory: ValueTableMemory
  readonly #map: SharedMap
  readonly #heap: RegionHeap | undefined
  readonly #doubles = new Float64Array(1)
  readonly #halves = new Int32Array(this.#doubles.buffer)
  /** Entries by name, good while the map's epoch is `#epoch`; never more than the map has. */
  readonly #entries = new Map<string, number>()
  /**
   * The words of a new entry. Its sequence goes on from the highest that a deleted one reached: were it to begin at 0, a
   * reader that slept through a deletion could find its own number again, on the value of another name.
   */
  readonly #fresh: [sequence: number, ...number[]] = [0, ...new Array<number>(entryWords - 1).fill(0)]
  #epoch: number
  #data: Buffer

  private constructor(map: SharedMap, data: SharedArrayBuffer, heap?: RegionHeap) {
    this.memory = { index: map.memory, data }
    this.#map = map
    this.#epoch = map.epoch
    this.#heap = heap
    this.#data = wholeBuffer(data)
  }

  /** Makes an empty table whose only writer is the calling thread. */
  static create(options: ValueTableOptions = {}): ValueTable {
    const data = createGrowable(0, options.maxBytes ?? 64 * 1024 * 1024)
    const map = SharedMap.create({ words: entryWords, buckets: options.buckets ?? 256 })
    return new ValueTable(map, data, new RegionHeap(data))
  }

  /** Opens a table that another thread writes, for {@link read}. */
  static attach(memory: ValueTableMemory): ValueTable {
    return new ValueTable(SharedMap.attach(memory.index), memory.data)
  }

  /**
   * Makes `value` the current value of `name`. Throws NOT_CLONEABLE for what no thread can be sent and OVERFLOW for what
   * does not fit; then the old value stays.
   */
  write(name: string, value: unknown, version: number): void {
    const heap = this.#writerHeap()
    const tag = tagOf(value)
    const content = tag === structured ? flatten(name, value) : value
    const present = this.#locate(name)
    const entry = present < 0 ? this.#map.insert(name, this.#fresh) : present
    try {
      this.#publish(heap, entry, tag, content, version)
    } catch (error) {
      if (present < 0) this.#map.delete(name)
      throw tooLarge(name, sizeOf(tag, content), error)
    }
  }

  /** Forgets `name`. */
  delete(name: string): void {
    const heap = this.#writerHeap()
    const entry = this.#locate(name)
    if (entry < 0) return
    // Both sides: the first makes the variable absent, the second frees the region of the side that was current.
    this.#publish(heap, entry, absent, undefined, 0)
    this.#publish(heap, entry, absent, undefined, 0)
    this.#map.delete(name)
    this.#entries.delete(name)
    const reached = this.#map.load(entry, 0)
    if (((reached - this.#fresh[0]) | 0) > 0) this.#fresh[0] = reached
  }

  /** The latest value of `name`, or `undefined` when there is no such variable. Objects are fresh copies. */
  read(name: string): TableValue | undefined {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const entry = this.#locate(name)
      if (entry < 0) return undefined
      const ints = this.#map.view(entry)
      const base = Atomics.load(ints, entry) & ~1
      // The sequence first, then the epoch: an unchanged epoch says that this sequence belongs to this name. From here
      // on a deletion, and so any later use of the entry, shows in the sequence.
      if (this.#map.epoch !== this.#epoch) {
        this.#forget()
        continue
      }
      const side = sideOf(entry, base)
      const tag = ints[side] as Tag
      if (tag === absent) {
        if (settled(ints, entry, base)) return undefined
        continue
      }
      const version = this.#double(ints, side + versionAt)
      const value = tag >= ascii ? this.#content(ints, entry, base, side) : this.#inline(ints, side, tag)
      if (value !== torn && settled(ints, entry, base)) {
        return { value: tag === structured ? deserialize(value as Buffer) : value, version }
      }
    }
    throw new BeamlineError('UNAVAILABLE', `${name} changes too fast to be read`, { details: { name } })
  }

  #publish(heap: RegionHeap, entry: number, tag: Tag, content: unknown, version: number): void {
    const ints = this.#map.view(entry)
    const sequence = (ints[entry] as number) & ~1
    const side = sideOf(entry, sequence + 2)
    const bytes = sizeOf(tag, content)
    const region = regionFor(bytes)
    const old = ints[side + regionAt] as number
    const fits = region <= old && (old <= keptRegion || region + 2 >= old) && tag !== absent
    const offset = fits || region === 0 ? 0 : heap.allocate(region)
    // Whoever still reads this side was overtaken twice, and finds out by this store, which comes before its region is
    // given to another value.
    Atomics.store(ints, entry, sequence + 1)
    fence()
    if (!fits) {
      if (old !== 0) heap.release(ints[side + offsetAt] as number, old)
      ints[side + offsetAt] = offset
      ints[side + regionAt] = region
    }
    ints[side] = tag
    this.#setDouble(ints, side + versionAt, version)
    if (tag === numeric) this.#setDouble(ints, side + numberAt, content as number)
    else if (tag >= ascii) {
      ints[side + numberAt] = bytes
      this.#fill(ints[side + offsetAt] as number, bytes, tag, content)
    }
    Atomics.store(ints, entry, sequence + 2)
  }

  #fill(offset: number, bytes: number, tag: Tag, content: unknown): void {
    const data = this.#dataUpTo(offset + bytes)
    if (tag === structured) data.set(content as Buffer, offset)
    else data.write(content as string, offset, bytes, tag === ascii ? 'latin1' : 'utf16le')
  }

  #inline(ints: Int32Array, side: number, tag: Tag): unknown {
    if (tag === numeric) return this.#double(ints, side + numberAt)
    return tag === nothing ? null : tag === missing ? undefined : tag === yes
  }

  /**
   * A string, or a private copy of an object's bytes, which must not change while they are decoded. Strings are stored
   * so that reading one is a plain copy too: UTF-8 is decoded in two passes, and the second trusts the first.
   */
  #content(ints: Int32Array<SharedArrayBuffer>, entry: number, base: number, side: number): unknown {
    const tag = ints[side]
    const bytes = ints[side + numberAt] as number
    const offset = ints[side + offsetAt] as number
    if (!settled(ints, entry, base)) return torn
    const data = this.#dataUpTo(offset + bytes)
    if (tag !== structured) return data.toString(tag === ascii ? 'latin1' : 'utf16le', offset, offset + bytes)
    const copy = Buffer.allocUnsafeSlow(bytes)
    data.copy(copy, 0, offset, offset + bytes)
    return copy
  }

  #dataUpTo(end: number): Buffer {
    if (end > this.#data.length) this.#data = wholeBuffer(this.memory.data)
    return this.#data
  }

  #double(ints: Int32Array, at: number): number {
    this.#halves[0] = ints[at] as number
    this.#halves[1] = ints[at + 1] as number
    return this.#doubles[0] as number
  }

  #setDouble(ints: Int32Array, at: number, value: number): void {
    this.#doubles[0] = value
    ints[at] = this.#halves[0] as number
    ints[at + 1] = this.#halves[1] as number
  }

  #locate(name: string): number {
    const known = this.#entries.get(name)
    if (known !== undefined) return known
    const entry = this.#map.find(name)
    if (entry >= 0) this.#entries.set(name, entry)
    return entry
  }

  #forget(): void {
    this.#epoch = this.#map.epoch
    this.#entries.clear()
  }

  #writerHeap(): RegionHeap {
    if (this.#heap !== undefined) return this.#heap
    throw new BeamlineError('UNAVAILABLE', 'only the thread that created this value table may write it')
  }
}

const wholeBuffer = (data: SharedArrayBuffer): Buffer => Buffer.from(data, 0, data.byteLength)

const sideOf = (entry: number, sequence: number): number => entry + 1 + ((sequence >> 1) & 1) * sideWords

/** Whether the side that was current at `base` has not been touched since: at `base + 3` it begins to be filled. */
function settled(ints: Int32Array<SharedArrayBuffer>, entry: number, base: number): boolean {
  fence()
  return (Atomics.load(ints, entry) - base) >>> 0 < 3
}

function tagOf(value: unknown): Tag {
  if (typeof value === 'number') return numeric
  if (typeof value === 'boolean') return value ? yes : no
  if (value === null) return nothing
  if (value === undefined) return missing
  if (typeof value !== 'string') return structured
  return Buffer.byteLength(value) === value.length ? ascii : utf16
}

function sizeOf(tag: Tag, content: unknown): number {
  if (tag < ascii) return 0
  return (content as string | Buffer).length * (tag === utf16 ? 2 : 1)
}

function flatten(name: string, value: unknown): Buffer {
  try {
    return serialize(value)
  } catch (error) {
    throw new BeamlineError(
      'NOT_CLONEABLE',
      `the value of ${name} cannot be shown to other threads: ${String(error)}`,
      {
        cause: error,
        details: { name },
      },
    )
  }
}

function tooLarge(name: string, bytes: number, cause: unknown): BeamlineError {
  return new BeamlineError('OVERFLOW', `the value of ${name} takes ${bytes} bytes, more than are left`, {
    cause,
    details: { name, bytes },
  })
}
