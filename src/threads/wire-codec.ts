import type { ValueReader } from './value-reader.js'
import type { ValueWriter } from './value-writer.js'
import { ANSWER, ASKED, DATED, REPLACES, Wire } from './wire.js'

/** A part of its own: serial, revision and version need one word each, not two. */
const SHORT = 128

const WORD = 2 ** 32

/** The higher of the two words of a whole number. */
const high = (value: number): number => Math.floor(value / WORD)

/**
 * Writes compact messages into the memory of a ring: in words of four bytes the operation and parts, then, but for an
 * answer, whom it is for and the subject, then the numbers of its parts, then its values. What fits in one cache line
 * crosses in half the time.
 */
export class WireWriter {
  readonly #ints: Int32Array
  readonly #values: ValueWriter

  constructor(memory: SharedArrayBuffer, values: ValueWriter) {
    this.#ints = new Int32Array(memory)
    this.#values = values
  }

  /** Writes `wire` at `at`, a multiple of 4. @returns the byte behind it, or FULL or UNFIT as of {@link ValueWriter} */
  write(wire: Wire, at: number, limit: number): number {
    const ints = this.#ints
    const { op, parts, serial, revision, version } = wire
    const short = serial < WORD && revision < WORD && version < WORD
    let next = at >>> 2
    ints[next++] = op | ((short ? parts | SHORT : parts) << 8)
    if (op !== ANSWER) {
      ints[next++] = wire.slot
      ints[next++] = wire.generation
      ints[next++] = wire.subject
    }
    if ((parts & ASKED) !== 0) {
      ints[next++] = serial
      if (!short) ints[next++] = high(serial)
      if (op !== ANSWER) {
        ints[next++] = wire.askerSlot
        ints[next++] = wire.askerGeneration
      }
    }
    if ((parts & DATED) !== 0) {
      ints[next++] = revision
      ints[next++] = version
      if (!short) {
        ints[next++] = high(revision)
        ints[next++] = high(version)
      }
      if (op !== ANSWER) {
        ints[next++] = wire.timestamp
        ints[next++] = high(wire.timestamp)
      }
    }
    const values = next << 2
    if (op === ANSWER) return values
    if ((parts & REPLACES) === 0) return this.#values.write(wire.value, values, limit)
    const middle = this.#values.write(wire.previous, values, limit)
    return middle < 0 ? middle : this.#values.write(wire.value, middle, limit)
  }
}

/** Reads compact messages from the memory of a ring. */
export class WireReader {
  readonly #ints: Int32Array
  readonly #values: ValueReader
  readonly #wire = new Wire()

  constructor(memory: SharedArrayBuffer, values: ValueReader) {
    this.#ints = new Int32Array(memory)
    this.#values = values
  }

  /** The message at `at`, good until the next one is read. */
  read(at: number, end: number): Wire {
    const ints = this.#ints
    const wire = this.#wire
    let next = at >>> 2
    const first = ints[next++] as number
    const op = first & 255
    const parts = first >>> 8
    const short = (parts & SHORT) !== 0
    wire.op = op
    wire.parts = parts & ~SHORT
    if (op !== ANSWER) {
      wire.slot = ints[next++] as number
      wire.generation = ints[next++] as number
      wire.subject = ints[next++] as number
    }
    if ((parts & ASKED) !== 0) {
      wire.serial = (ints[next++] as number) >>> 0
      if (!short) wire.serial += (ints[next++] as number) * WORD
      if (op !== ANSWER) {
        wire.askerSlot = ints[next++] as number
        wire.askerGeneration = ints[next++] as number
      }
    }
    if ((parts & DATED) !== 0) {
      wire.revision = (ints[next++] as number) >>> 0
      wire.version = (ints[next++] as number) >>> 0
      if (!short) {
        wire.revision += (ints[next++] as number) * WORD
        wire.version += (ints[next++] as number) * WORD
      }
      if (op !== ANSWER) wire.timestamp = ((ints[next++] as number) >>> 0) + (ints[next++] as number) * WORD
    }
    if (op === ANSWER) return wire
    const values = next << 2
    if ((parts & REPLACES) === 0) {
      wire.value = this.#values.read(values, end)
      return wire
    }
    wire.previous = this.#values.read(values, end)
    wire.value = this.#values.read(this.#values.position, end)
    return wire
  }
}
