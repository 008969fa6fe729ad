import { BeamlineError } from '../errors.js'
import { createGrowable, fence, release } from '../threads/growable-memory.js'
import { SharedMap } from '../threads/shared-map.js'
import { type Region, RegionHeap, regionFor } from './region-heap.js'
import { absent, ascii, contentOf, numeric, sizeOf, type Tag, tagOf, writeBytes } from './value-codec.js'
import {
  entryWords,
  numberAt,
  offsetAt,
  regionAt,
  revisionAt,
  sideOf,
  TableData,
  type TableValue,
  timestampAt,
  ValueTable,
  type ValueTableMemory,
  variableAt,
  versionAt,
} from './value-table.js'

/** How large a table may grow. */
export interface TableOptions {
  /** How many chains the names are spread over; fixed for good. Default 16,384. */
  buckets?: number
  /** How many bytes of strings and objects it may hold, two copies each; only address space until used. Default 64 MiB. */
  maxBytes?: number
}

/** A variable and its place in the table. */
export interface Slot {
  readonly name: string
  readonly entry: number
}

/** The log2 of the largest region that a side keeps whatever smaller value it holds. */
const keptRegion = 12

/**
 * Writes a {@link ValueTable}. A write is prepared on the side that nobody reads, which may be refused, and then flipped,
 * which cannot; in between it can be undone.
 */
export class TableWriter {
  readonly memory: ValueTableMemory
  readonly #map: SharedMap
  readonly #heap: RegionHeap
  readonly #reader: ValueTable
  /**
   * The words of a new entry. Its sequence goes on from the highest that a deleted one reached: were it to begin at 0, a
   * reader that slept through a deletion could find its own number again, on the value of another name.
   */
  readonly #fresh: [sequence: number, ...number[]] = [0, ...new Array<number>(entryWords - 1).fill(0)]
  readonly #data: TableData
  #ints: Int32Array<SharedArrayBuffer> | undefined
  #floats: Float64Array = new Float64Array()

  private constructor(map: SharedMap, data: SharedArrayBuffer, heap: RegionHeap) {
    this.memory = { index: map.memory, data }
    this.#map = map
    this.#heap = heap
    this.#reader = ValueTable.attach(this.memory)
    this.#data = new TableData(data)
  }

  /** Makes an empty table whose only writer is the calling thread. */
  static create(options: TableOptions = {}): TableWriter {
    const data = createGrowable(0, options.maxBytes ?? 64 * 1024 * 1024)
    const map = SharedMap.create({ words: entryWords, buckets: options.buckets ?? 16_384 })
    return new TableWriter(map, data, new RegionHeap(data))
  }

  /** Makes the calling thread the only writer of a table whose writer has died; what that had only prepared is undone. */
  static recover({ index, data }: ValueTableMemory): TableWriter {
    const map = SharedMap.recover(index)
    const used: Region[] = []
    for (const name of map.keys()) used.push(...settle(map, map.find(name)))
    const table = new TableWriter(map, data, RegionHeap.recover(data, used))
    for (const entry of map.free()) table.#outrun(entry)
    return table
  }

  /** The place of `name`, new and without a value when there is none. */
  open(name: string): number {
    const entry = this.#map.find(name)
    return entry < 0 ? this.#map.insert(name, this.#fresh) : entry
  }

  /** Gives the variable that stands there its number. */
  number(entry: number, variable: number): void {
    this.#map.store(entry, variableAt, variable)
  }

  /** Puts a value where nobody reads it yet. @throws BeamlineError OVERFLOW; then all is as it was */
  prepare(
    { name, entry }: Slot,
    tag: Tag,
    content: unknown,
    version: number,
    revision: number,
    timestamp: number,
  ): void {
    const ints = this.#map.view(entry)
    const sequence = (ints[entry] as number) & ~1
    const side = sideOf(entry, sequence + 2)
    const bytes = sizeOf(tag, content)
    const region = regionFor(bytes)
    const old = ints[side + regionAt] as number
    const fits = region <= old && (old <= keptRegion || region + 2 >= old) && tag !== absent
    const offset = fits || region === 0 ? 0 : this.#allocate(name, region, bytes)
    // Whoever still reads this side was overtaken twice, and finds out by this store, which comes before its region is
    // given to another value.
    release(ints, entry, sequence + 1)
    fence()
    if (!fits) {
      if (old !== 0) this.#heap.release(ints[side + offsetAt] as number, old)
      ints[side + offsetAt] = offset
      ints[side + regionAt] = region
    }
    ints[side] = tag
    this.#setDouble(ints, side + versionAt, version)
    this.#setDouble(ints, side + revisionAt, revision)
    this.#setDouble(ints, side + timestampAt, timestamp)
    if (tag === numeric) this.#setDouble(ints, side + numberAt, content as number)
    else if (tag >= ascii) {
      ints[side + numberAt] = bytes
      const at = ints[side + offsetAt] as number
      writeBytes(this.#data.upTo(at + bytes), at, tag, content)
    }
  }

  /**
   * Makes a number the current value, of which the log tells already; where the side that it goes to {@link takesNumber}.
   */
  writeNumber(entry: number, value: number, version: number, revision: number, timestamp: number): void {
    const ints = this.#map.view(entry)
    const sequence = (ints[entry] as number) & ~1
    const side = sideOf(entry, sequence + 2)
    release(ints, entry, sequence + 1)
    fence()
    ints[side] = numeric
    this.#setDouble(ints, side + versionAt, version)
    this.#setDouble(ints, side + revisionAt, revision)
    this.#setDouble(ints, side + timestampAt, timestamp)
    this.#setDouble(ints, side + numberAt, value)
    release(ints, entry, sequence + 2)
  }

  /** Whether {@link writeNumber} leaves no memory behind that another value could have. */
  takesNumber(entry: number): boolean {
    const ints = this.#map.view(entry)
    return (ints[sideOf(entry, ((ints[entry] as number) & ~1) + 2) + regionAt] as number) <= keptRegion
  }

  /** Makes what was prepared the value that is read. */
  flip(entry: number): void {
    const ints = this.#map.view(entry)
    release(ints, entry, (ints[entry] as number) + 1)
  }

  /** Forgets what was prepared. */
  undo(entry: number): void {
    const ints = this.#map.view(entry)
    if (((ints[entry] as number) & 1) === 1) Atomics.store(ints, entry, undone(ints[entry] as number))
  }

  /**
   * Makes `value` the current value of `name`. Throws NOT_CLONEABLE for what no thread can be sent and OVERFLOW for what
   * does not fit; then the old value stays.
   */
  write(name: string, value: unknown, version: number, revision = 0, timestamp = 0): void {
    const tag = tagOf(value)
    const content = contentOf(name, tag, value)
    const isNew = this.#map.find(name) < 0
    const entry = this.open(name)
    try {
      this.prepare({ name, entry }, tag, content, version, revision, timestamp)
    } catch (error) {
      if (isNew) this.#map.delete(name)
      throw error
    }
    this.flip(entry)
  }

  /** Forgets `name`. */
  delete(name: string): void {
    const entry = this.#map.find(name)
    if (entry < 0) return
    // Both sides: the first makes the variable absent, the second frees the region of the side that was current.
    for (let side = 0; side < 2; side++) {
      this.prepare({ name, entry }, absent, undefined, 0, 0, 0)
      this.flip(entry)
    }
    this.#map.delete(name)
    this.#outrun(entry)
  }

  read(name: string): TableValue | undefined {
    return this.#reader.read(name)
  }

  names(): string[] {
    return [...this.#map.keys()]
  }

  /** The commit and the time of the current value. */
  origin(entry: number): { readonly revision: number; readonly timestamp: number } {
    const ints = this.#map.view(entry)
    const side = sideOf(entry, ints[entry] as number)
    return { revision: this.#double(ints, side + revisionAt), timestamp: this.#double(ints, side + timestampAt) }
  }

  /** How the current value stands here. */
  tagOf(entry: number): Tag {
    const ints = this.#map.view(entry)
    return ints[sideOf(entry, ints[entry] as number)] as Tag
  }

  /** The bytes of an object that is the current value; they are good until the next write. */
  bytesOf(entry: number): Buffer {
    const ints = this.#map.view(entry)
    const side = sideOf(entry, ints[entry] as number)
    const offset = ints[side + offsetAt] as number
    const end = offset + (ints[side + numberAt] as number)
    return this.#data.upTo(end).subarray(offset, end)
  }

  #allocate(name: string, region: number, bytes: number): number {
    try {
      return this.#heap.allocate(region)
    } catch (cause) {
      const text = `the value of ${name} takes ${bytes} bytes, more than are left`
      throw new BeamlineError('OVERFLOW', text, { cause, details: { name, bytes } })
    }
  }

  /** Later entries begin above what this one, which is deleted, has reached. */
  #outrun(entry: number): void {
    const reached = undone(this.#map.load(entry, 0))
    if (((reached - this.#fresh[0]) | 0) > 0) this.#fresh[0] = reached
  }

  #double(ints: Int32Array<SharedArrayBuffer>, at: number): number {
    return this.#floatsOf(ints)[at >>> 1] as number
  }

  #setDouble(ints: Int32Array<SharedArrayBuffer>, at: number, value: number): void {
    this.#floatsOf(ints)[at >>> 1] = value
  }

  #floatsOf(ints: Int32Array<SharedArrayBuffer>): Float64Array {
    if (ints !== this.#ints) {
      this.#ints = ints
      this.#floats = new Float64Array(ints.buffer, 0, ints.length >>> 1)
    }
    return this.#floats
  }
}

/** The sequence of a side that is current, when the other was prepared for nothing: not the same as before, as some reader
 * may have begun, before that, to read the side that was prepared. */
const undone = (sequence: number): number => ((sequence & 1) === 1 ? sequence + 3 : sequence)

/** Leaves the current side of an entry as the only one and answers the regions in use. */
function settle(map: SharedMap, entry: number): Region[] {
  const ints = map.view(entry)
  const sequence = ints[entry] as number
  if ((sequence & 1) === 1) {
    // Its region may have been changed by half: what it has is free.
    ints[sideOf(entry, sequence + 1) + regionAt] = 0
    Atomics.store(ints, entry, undone(sequence))
  }
  const sides = [sideOf(entry, 0), sideOf(entry, 2)]
  const regions = sides.map((side) => ({
    offset: ints[side + offsetAt] as number,
    size: ints[side + regionAt] as number,
  }))
  return regions.filter(({ size }) => size !== 0)
}
