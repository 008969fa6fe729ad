import { corrupt } from './value-form.js'
import type { ValueReader } from './value-reader.js'
import type { ValueWriter } from './value-writer.js'
import { ANSWER, ASKED, DATED, REPLACES, Wire } from './wire.js'

// What is said of a message beside its parts. Most of them differ in few words from the one before them with the same
// operation, and the fewer bytes there are, the fewer cache lines have to cross from core to core.

/** Serial, revision and version need one word each, not two. */
const SHORT = 8
/** For whom it is, who asks, and the subject are those of the one before. */
const SAME = 16
/** Serial, revision and version are one more than those of the one before, the time is the same, and the value before its value. */
const NEXT = 32

/** The parts of messages of which several, that differ in their values alone, may be one record. */
const RUNNING = DATED | REPLACES

const WORD = 2 ** 32
const OPS = 256

/** The higher of the two words of a whole number. */
const high = (value: number): number => Math.floor(value / WORD)

/** Writes compact messages into the memory of a ring, each as it differs from the last with its operation. */
export class WireWriter {
  readonly #ints: Int32Array
  readonly #values: ValueWriter
  readonly #last: Wire[] = []
  /** The operation of the message that was written last, and what is said of it. */
  head = 0

  constructor(memory: SharedArrayBuffer, values: ValueWriter) {
    this.#ints = new Int32Array(memory)
    this.#values = values
  }

  /** Writes `wire` at `at`, a multiple of 4. @returns the byte behind it, or FULL or UNFIT as of {@link ValueWriter} */
  write(wire: Wire, at: number, limit: number): number {
    const { op } = wire
    let last = this.#last[op]
    if (last === undefined) {
      last = new Wire()
      // No message follows on this one.
      last.slot = last.serial = last.revision = -2
      this.#last[op] = last
    }
    const parts = said(wire, last)
    let end = this.#numbers(wire, parts, at >>> 2) << 2
    if ((parts & REPLACES) !== 0 && (parts & NEXT) === 0) {
      end = this.#values.write(wire.previous, end, limit)
      if (end < 0) return end
    }
    if (op !== ANSWER) end = this.#values.write(wire.value, end, limit)
    if (end < 0) return end
    remember(wire, last)
    this.head = op | (parts << 8)
    return end
  }

  /** Whether `wire` says nothing but another value than the message before it, which was the last with its operation. */
  follows(wire: Wire): boolean {
    const last = this.#last[wire.op]
    return wire.parts === RUNNING && last !== undefined && (said(wire, last) & (SAME | NEXT)) === (SAME | NEXT)
  }

  /** Writes what {@link follows}, behind the message before it. */
  append(wire: Wire, at: number, limit: number): number {
    const end = this.#values.write(wire.value, at, limit)
    if (end >= 0) remember(wire, this.#last[wire.op] as Wire)
    return end
  }

  #numbers(wire: Wire, parts: number, at: number): number {
    const ints = this.#ints
    const short = (parts & SHORT) !== 0
    const isAnswer = wire.op === ANSWER
    let next = at
    if ((parts & SAME) === 0 && !isAnswer) {
      ints[next++] = wire.slot
      ints[next++] = wire.generation
      ints[next++] = wire.subject
      if ((parts & ASKED) !== 0) {
        ints[next++] = wire.askerSlot
        ints[next++] = wire.askerGeneration
      }
    }
    if ((parts & NEXT) !== 0) return next
    if ((parts & ASKED) !== 0) {
      ints[next++] = wire.serial
      if (!short) ints[next++] = high(wire.serial)
    }
    if ((parts & DATED) === 0) return next
    ints[next++] = wire.revision
    ints[next++] = wire.version
    if (!short) {
      ints[next++] = high(wire.revision)
      ints[next++] = high(wire.version)
    }
    if (isAnswer) return next
    ints[next++] = wire.timestamp
    ints[next++] = high(wire.timestamp)
    return next
  }
}

function said(wire: Wire, last: Wire): number {
  const { op, parts, serial, revision, version } = wire
  let all = parts
  const asked = (parts & ASKED) !== 0
  if (
    wire.slot === last.slot &&
    wire.generation === last.generation &&
    wire.subject === last.subject &&
    (!asked || (wire.askerSlot === last.askerSlot && wire.askerGeneration === last.askerGeneration))
  )
    all |= SAME
  if (
    (!asked || serial === last.serial + 1) &&
    ((parts & DATED) === 0 ||
      (revision === last.revision + 1 &&
        version === last.version + 1 &&
        (op === ANSWER || wire.timestamp === last.timestamp))) &&
    ((parts & REPLACES) === 0 || wire.previous === last.value)
  )
    all |= NEXT
  return serial < WORD && revision < WORD && version < WORD ? all | SHORT : all
}

/** What is not said of `wire` is not what the one behind it follows on. */
function remember(wire: Wire, last: Wire): void {
  const { parts } = wire
  last.slot = wire.slot
  last.generation = wire.generation
  last.subject = wire.subject
  last.value = wire.value
  if ((parts & ASKED) !== 0) {
    last.askerSlot = wire.askerSlot
    last.askerGeneration = wire.askerGeneration
    last.serial = wire.serial
  }
  if ((parts & DATED) === 0) return
  last.revision = wire.revision
  last.version = wire.version
  last.timestamp = wire.timestamp
}

/** Reads compact messages from the memory of a ring. */
export class WireReader {
  readonly #ints: Int32Array
  readonly #values: ValueReader
  /** By operation: the last message, of which the next says how it differs. */
  readonly #wires: Wire[] = []
  /** Where the next value of the record begins. */
  #position = 0

  constructor(memory: SharedArrayBuffer, values: ValueReader) {
    this.#ints = new Int32Array(memory)
    this.#values = values
  }

  /** The message at `at`, good until the next one is read. @param head as the writer's */
  read(head: number, at: number, end: number): Wire {
    const op = head & 255
    const parts = head >>> 8
    if (head < 0 || head >= OPS * OPS) throw corrupt('No compact message', at)
    let wire = this.#wires[op]
    if (wire === undefined) {
      wire = new Wire()
      wire.op = op
      this.#wires[op] = wire
    }
    wire.parts = parts & (ASKED | DATED | REPLACES)
    const next = this.#numbers(wire, parts, at >>> 2) << 2
    if (op === ANSWER) return wire
    if ((parts & REPLACES) === 0) {
      wire.value = this.#values.read(next, end)
      return wire
    }
    if ((parts & NEXT) !== 0) {
      wire.previous = wire.value
      wire.value = this.#values.read(next, end)
    } else {
      wire.previous = this.#values.read(next, end)
      wire.value = this.#values.read(this.#values.position, end)
    }
    this.#position = this.#values.position
    return wire
  }

  /** The message behind `wire` in its record, if there is one before `end`. */
  next(wire: Wire, end: number): boolean {
    const at = this.#position
    if (at >= end || wire.parts !== RUNNING) return false
    wire.previous = wire.value
    wire.value = this.#values.read(at, end)
    this.#position = this.#values.position
    wire.revision++
    wire.version++
    return true
  }

  #numbers(wire: Wire, parts: number, at: number): number {
    const ints = this.#ints
    const short = (parts & SHORT) !== 0
    const isAnswer = wire.op === ANSWER
    let next = at
    if ((parts & SAME) === 0 && !isAnswer) {
      wire.slot = ints[next++] as number
      wire.generation = ints[next++] as number
      wire.subject = ints[next++] as number
      if ((parts & ASKED) !== 0) {
        wire.askerSlot = ints[next++] as number
        wire.askerGeneration = ints[next++] as number
      }
    }
    if ((parts & NEXT) !== 0) {
      if ((parts & ASKED) !== 0) wire.serial++
      if ((parts & DATED) !== 0) {
        wire.revision++
        wire.version++
      }
      return next
    }
    if ((parts & ASKED) !== 0) {
      wire.serial = (ints[next++] as number) >>> 0
      if (!short) wire.serial += (ints[next++] as number) * WORD
    }
    if ((parts & DATED) === 0) return next
    wire.revision = (ints[next++] as number) >>> 0
    wire.version = (ints[next++] as number) >>> 0
    if (!short) {
      wire.revision += (ints[next++] as number) * WORD
      wire.version += (ints[next++] as number) * WORD
    }
    if (!isAnswer) wire.timestamp = ((ints[next++] as number) >>> 0) + (ints[next++] as number) * WORD
    return next
  }
}
