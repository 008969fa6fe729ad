import { deserialize } from 'node:v8'
import { createGrowable, ensureBytes } from '../threads/growable-memory.js'
import { type Payload, unpack } from '../threads/payload.js'
import type { Metadata } from './change.js'
import { ascii, constantOf, numeric, sizeOf, structured, type Tag, textOf, writeBytes } from './value-codec.js'

/** What happened to a variable. */
export type LogKind = 0 | 1 | 2
export const defined = 0
export const written = 1
export const deleted = 2

/** One variable in one commit, as it stands in the log. */
export interface LogRecord {
  readonly kind: LogKind
  readonly number: number
  readonly revision: number
  readonly version: number
  readonly timestamp: number
  readonly value: unknown
  readonly previous: unknown
  /** What the writer said, if anything. */
  readonly said: Metadata | undefined
}

// A record, in units of 8 bytes: [its units, variable], [revision], [version], [timestamp], [tags and kind, bytes of
// metadata], [number, or byte length, of the value], [the same of the previous value], then the bytes of all three.
export const headUnits = 7
const unit = 8
/** A value and the one before it may each be as large as the table lets them. */
const maxBytes = 160 * 1024 * 1024

const unitsOf = (bytes: number): number => (bytes + unit - 1) >>> 3

/** The units of a record. */
export function recordUnits(tag: Tag, content: unknown, tagBefore: Tag, before: unknown, said?: Buffer): number {
  if (tag < ascii && tagBefore < ascii && said === undefined) return headUnits
  return headUnits + unitsOf(sizeOf(tag, content)) + unitsOf(sizeOf(tagBefore, before)) + unitsOf(said?.length ?? 0)
}

/** Half of a log's memory: records one behind the other, from the front. */
export class LogHalf {
  readonly buffer: SharedArrayBuffer
  #ints: Int32Array
  #doubles: Float64Array
  #bytes: Buffer

  constructor(buffer = createGrowable(0, maxBytes)) {
    this.buffer = buffer
    this.#ints = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
    this.#doubles = new Float64Array(buffer, 0, buffer.byteLength >>> 3)
    this.#bytes = Buffer.from(buffer, 0, buffer.byteLength)
  }

  /** Makes room for so many units. @throws BeamlineError OVERFLOW */
  ensure(units: number): void {
    if (units <= this.#doubles.length) return
    const { buffer } = this
    ensureBytes(buffer, units * unit)
    this.#ints = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
    this.#doubles = new Float64Array(buffer, 0, buffer.byteLength >>> 3)
    this.#bytes = Buffer.from(buffer, 0, buffer.byteLength)
  }

  /** Writes a record at a unit, for which there is room, and answers where the next one goes. */
  write(
    at: number,
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
  ): number {
    this.#writeHead(at, number, revision, version, timestamp, tag | (tagBefore << 4) | (kind << 8), said?.length ?? 0)
    let end = at + headUnits
    end = this.#writeValue(at + 5, end, tag, content)
    end = this.#writeValue(at + 6, end, tagBefore, before)
    if (said !== undefined) {
      this.#bytes.set(said, end * unit)
      end += unitsOf(said.length)
    }
    this.#ints[2 * at] = end - at
    return end
  }

  /** As {@link write}, of a number that follows on a number. */
  writeNumber(
    at: number,
    number: number,
    revision: number,
    version: number,
    timestamp: number,
    value: number,
    before: number,
  ): number {
    this.#writeHead(at, number, revision, version, timestamp, numeric | (numeric << 4) | (written << 8), 0)
    this.#doubles[at + 5] = value
    this.#doubles[at + 6] = before
    this.#ints[2 * at] = headUnits
    return at + headUnits
  }

  /** All but the values and the length, which is last. */
  #writeHead(
    at: number,
    number: number,
    revision: number,
    version: number,
    timestamp: number,
    marks: number,
    said: number,
  ): void {
    const ints = this.#ints
    const doubles = this.#doubles
    ints[2 * at + 1] = number
    doubles[at + 1] = revision
    doubles[at + 2] = version
    doubles[at + 3] = timestamp
    ints[2 * at + 8] = marks
    ints[2 * at + 9] = said
  }

  #writeValue(at: number, end: number, tag: Tag, content: unknown): number {
    if (tag === numeric) this.#doubles[at] = content as number
    if (tag < ascii) return end
    const bytes = sizeOf(tag, content)
    this.#ints[2 * at] = bytes
    writeBytes(this.#bytes, end * unit, tag, content)
    return end + unitsOf(bytes)
  }

  /** The revision of the record at a unit. */
  revisionAt(at: number): number {
    return this.#doubles[at + 1] as number
  }

  numberAt(at: number): number {
    return this.#ints[2 * at + 1] as number
  }

  kindAt(at: number): LogKind {
    return ((this.#ints[2 * at + 8] as number) >> 8) as LogKind
  }

  /** Where the record behind the one at a unit begins. */
  next(at: number): number {
    return at + (this.#ints[2 * at] as number)
  }

  /** The record at a unit, with copies of its values. */
  read(at: number): LogRecord {
    const ints = this.#ints
    const tags = ints[2 * at + 8] as number
    const tag = (tags & 15) as Tag
    const tagBefore = ((tags >> 4) & 15) as Tag
    const saidBytes = ints[2 * at + 9] as number
    const valueAt = at + headUnits
    const beforeAt = valueAt + (tag < ascii ? 0 : unitsOf(ints[2 * at + 10] as number))
    const saidAt = beforeAt + (tagBefore < ascii ? 0 : unitsOf(ints[2 * at + 12] as number))
    return {
      kind: this.kindAt(at),
      number: this.numberAt(at),
      revision: this.revisionAt(at),
      version: this.#doubles[at + 2] as number,
      timestamp: this.#doubles[at + 3] as number,
      value: this.#value(tag, at + 5, valueAt),
      previous: this.#value(tagBefore, at + 6, beforeAt),
      said: saidBytes === 0 ? undefined : (unpack(this.#object(saidAt, saidBytes) as Payload) as Metadata),
    }
  }

  #value(tag: Tag, at: number, content: number): unknown {
    if (tag === numeric) return this.#doubles[at]
    if (tag < ascii) return constantOf(tag)
    const bytes = this.#ints[2 * at] as number
    return tag === structured ? this.#object(content, bytes) : textOf(this.#bytes, content * unit, bytes, tag)
  }

  /** Decoded from a copy: what is decoded in place would refer to memory that is written again. */
  #object(at: number, bytes: number): unknown {
    const copy = Buffer.allocUnsafeSlow(bytes)
    this.#bytes.copy(copy, 0, at * unit, at * unit + bytes)
    return deserialize(copy)
  }
}
