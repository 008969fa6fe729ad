import type { RingReader, RingWriter } from '../../src/threads/ring.js'

/** Bytes of the payload of the record with this number: mostly few, sometimes none, now and then many. */
function bytesOf(serial: number, largest: number): number {
  const random = mixed(serial, 77) >>> 0
  if (random % 512 === 0) return random % (largest + 1)
  return random % (random % 16 === 0 ? Math.min(300, largest + 1) : 40)
}

const kindOf = (serial: number): number => 1 + (serial % 7)

const mixed = (serial: number, index: number): number => {
  const product = Math.imul(serial ^ Math.imul(index, 0x9e3779b1), 0x85ebca6b)
  return product ^ (product >>> 13)
}

/** Writes records, one after the other, whose kind, size and bytes follow from their number. */
export class Load {
  readonly #writer: RingWriter
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #largest: number
  serial = 0

  constructor(writer: RingWriter, memory: SharedArrayBuffer, largest: number) {
    this.#writer = writer
    this.#bytes = new Uint8Array(memory)
    this.#words = new Int32Array(memory)
    this.#largest = largest
  }

  /** Commits the next record. @returns false while there is no room for it */
  write(): boolean {
    const bytes = bytesOf(this.serial, this.#largest)
    const at = this.#writer.begin(bytes)
    if (at < 0) return false
    const whole = bytes >>> 2
    for (let i = 0; i < whole; i++) this.#words[(at >>> 2) + i] = mixed(this.serial, i)
    for (let i = whole << 2; i < bytes; i++) this.#bytes[at + i] = mixed(this.serial, i)
    this.#writer.commit(kindOf(this.serial), bytes)
    this.serial++
    return true
  }
}

/** Reads the records of a {@link Load} and throws at the first that is not the next one, whole. */
export class LoadCheck {
  readonly #reader: RingReader
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #largest: number
  serial = 0

  constructor(reader: RingReader, memory: SharedArrayBuffer, largest: number) {
    this.#reader = reader
    this.#bytes = new Uint8Array(memory)
    this.#words = new Int32Array(memory)
    this.#largest = largest
  }

  read(): boolean {
    return this.#reader.read(this.#take)
  }

  readonly #take = (kind: number, at: number, end: number): void => {
    const { serial } = this
    const bytes = bytesOf(serial, this.#largest)
    const whole = bytes >>> 2
    let isGood = kind === kindOf(serial) && end - at === bytes
    for (let i = 0; i < whole; i++) isGood &&= this.#words[(at >>> 2) + i] === mixed(serial, i)
    for (let i = whole << 2; i < bytes; i++) isGood &&= this.#bytes[at + i] === (mixed(serial, i) & 255)
    if (!isGood) throw new Error(`record ${serial} is not there whole: kind ${kind}, ${end - at} bytes at ${at}`)
    this.serial++
  }
}
