import { deserialize } from 'node:v8'
import { BeamlineError } from '../errors.js'
import { fence } from '../threads/growable-memory.js'
import { SharedMap, type SharedMapMemory } from '../threads/shared-map.js'
import { absent, ascii, constantOf, numeric, structured, type Tag, textOf } from './value-codec.js'

/** What another thread needs to read a {@link ValueTable}; send it in any message. */
export interface ValueTableMemory {
  readonly index: SharedMapMemory
  readonly data: SharedArrayBuffer
}

/** A variable's value and what it was written with. */
export interface TableValue {
  readonly value: unknown
  readonly version: number
}

// An entry: [sequence, side 0, side 1, number]. A side: [tag, version, revision, timestamp, number or byte length, region offset,
// log2 of its size].
export const versionAt = 1
export const revisionAt = 3
export const timestampAt = 5
export const numberAt = 7
export const offsetAt = 9
export const regionAt = 10
/** With one to spare, so that the doubles of both sides stand at even words: they are written as doubles. */
const sideWords = 12
/** Behind the sides: the number of the variable, for compact messages. */
export const variableAt = 1 + 2 * sideWords
export const entryWords = variableAt + 1

const attempts = 100_000
const torn = Symbol('torn')

/**
 * The current values of one context's variables: written by one thread, with a {@link TableWriter}, and read by any,
 * synchronously.
 *
 * Each variable has two sides. A write fills the side that is not current and then makes it current by one store of the
 * sequence: odd while a side is being filled, even when it is published. So there is always a whole value to read,
 * also when the writer died in the middle of the next one, and a reader starts over only if it was overtaken twice.
 */
export class ValueTable {
  readonly memory: ValueTableMemory
  readonly #map: SharedMap
  readonly #doubles = new Float64Array(1)
  readonly #halves = new Int32Array(this.#doubles.buffer)
  /** Entries by name, good while the map's epoch is `#epoch`; never more than the map has. */
  readonly #entries = new Map<string, number>()
  /** Numbers of variables, good as long. */
  readonly #numbers = new Map<string, number>()
  #epoch: number
  readonly #data: TableData

  private constructor(map: SharedMap, data: SharedArrayBuffer) {
    this.memory = { index: map.memory, data }
    this.#map = map
    this.#epoch = map.epoch
    this.#data = new TableData(data)
  }

  /** Opens a table that another thread writes. */
  static attach(memory: ValueTableMemory): ValueTable {
    return new ValueTable(SharedMap.attach(memory.index), memory.data)
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

  /**
   * The number of the variable `name`, or -1 when there is none; that of one that has been deleted, as long as its place is
   * free. Kept as long as no place is given to another name: to look at it would take its cache line from the writer.
   */
  numberOf(name: string): number {
    if (this.#map.epoch !== this.#epoch) this.#forget()
    const known = this.#numbers.get(name)
    return known ?? this.#findNumber(name)
  }

  #findNumber(name: string): number {
    for (;;) {
      const entry = this.#locate(name)
      if (entry < 0) return -1
      const number = this.#map.load(entry, variableAt)
      if (this.#map.epoch === this.#epoch) {
        this.#numbers.set(name, number)
        return number
      }
      this.#forget()
    }
  }

  #inline(ints: Int32Array, side: number, tag: Tag): unknown {
    if (tag === numeric) return this.#double(ints, side + numberAt)
    return constantOf(tag)
  }

  /** A string, or a private copy of an object's bytes, which must not change while they are decoded. */
  #content(ints: Int32Array<SharedArrayBuffer>, entry: number, base: number, side: number): unknown {
    const tag = ints[side]
    const bytes = ints[side + numberAt] as number
    const offset = ints[side + offsetAt] as number
    if (!settled(ints, entry, base)) return torn
    const data = this.#data.upTo(offset + bytes)
    if (tag !== structured) return textOf(data, offset, bytes, tag as Tag)
    const copy = Buffer.allocUnsafeSlow(bytes)
    data.copy(copy, 0, offset, offset + bytes)
    return copy
  }

  #double(ints: Int32Array, at: number): number {
    this.#halves[0] = ints[at] as number
    this.#halves[1] = ints[at + 1] as number
    return this.#doubles[0] as number
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
    this.#numbers.clear()
  }
}

/** The strings and objects of a table, in memory that grows. */
export class TableData {
  readonly #memory: SharedArrayBuffer
  #bytes: Buffer

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory
    this.#bytes = Buffer.from(memory, 0, memory.byteLength)
  }

  /** All of them, at least so many. */
  upTo(end: number): Buffer {
    if (end > this.#bytes.length) this.#bytes = Buffer.from(this.#memory, 0, this.#memory.byteLength)
    return this.#bytes
  }
}

/** Where the side begins that is current at `sequence`. */
export const sideOf = (entry: number, sequence: number): number => entry + 1 + ((sequence >> 1) & 1) * sideWords

/** Whether the side that was current at `base` has not been touched since: at `base + 3` it begins to be filled. */
function settled(ints: Int32Array<SharedArrayBuffer>, entry: number, base: number): boolean {
  fence()
  return (Atomics.load(ints, entry) - base) >>> 0 < 3
}
