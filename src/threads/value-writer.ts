import { types } from 'node:util'
import {
  Form,
  FULL,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_KEYS,
  MAX_SHORT,
  MAX_SMALL,
  UNFIT,
} from './value-form.js'

/** From here on a native call is faster than a loop over the characters. */
const NATIVE_LENGTH = 20

/** In a text of one-byte characters V8 knows without a look that there is none of these. */
const wide = /[^\0-\xff]/

const empty = {}

/**
 * Writes values into the bytes of one buffer in their compact form: primitives but bigints, arrays and object literals. A
 * reader gives back what structured clone would have made of them, but for named properties of arrays, which are left
 * out. Whatever else there is in a value makes it unfit: other objects, an array with a hole, and an object met twice,
 * which must arrive as one.
 */
export class ValueWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #buffer: Buffer
  /** The containers of the value that is being written, as far as it has come. */
  readonly #met: unknown[] = new Array(MAX_CONTAINERS).fill(undefined)
  #containers = 0
  #limit = 0

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
    this.#view = new DataView(memory)
    this.#buffer = Buffer.from(memory)
  }

  /**
   * Writes `value` from byte `at` on and nothing from `limit` on. What a getter of the value throws passes through.
   * @returns the byte after it, or {@link FULL} or {@link UNFIT}; then the bytes between are spoiled
   */
  write(value: unknown, at: number, limit: number): number {
    this.#limit = limit
    if (typeof value === 'number') return this.#number(value, at)
    if (typeof value !== 'object' || value === null) return this.#value(value, at, 0)
    this.#containers = 0
    try {
      return this.#container(value, at, 0)
    } finally {
      // What was sent must not be kept alive.
      for (let i = 0; i < this.#containers; i++) this.#met[i] = undefined
    }
  }

  #value(value: unknown, at: number, depth: number): number {
    switch (typeof value) {
      case 'number':
        return this.#number(value, at)
      case 'string':
        return this.#text(value, at)
      case 'object':
        return value === null ? this.#sign(Form.null, at) : this.#container(value, at, depth)
      case 'boolean':
        return this.#sign(value ? Form.true : Form.false, at)
      case 'undefined':
        return this.#sign(Form.undefined, at)
      default:
        return UNFIT
    }
  }

  #sign(form: number, at: number): number {
    if (at >= this.#limit) return FULL
    this.#bytes[at] = form
    return at + 1
  }

  #number(value: number, at: number): number {
    const integer = value | 0
    // Zero may be negative, which no integer is.
    if (integer !== value || (value === 0 && 1 / value < 0)) {
      if (at + 9 > this.#limit) return FULL
      this.#bytes[at] = Form.double
      this.#view.setFloat64(at + 1, value, true)
      return at + 9
    }
    if (integer >= 0 && integer <= MAX_SMALL) return this.#sign(Form.small + integer, at)
    if (at + 5 > this.#limit) return FULL
    this.#bytes[at] = Form.integer
    this.#view.setInt32(at + 1, integer, true)
    return at + 5
  }

  #text(value: string, at: number): number {
    const { length } = value
    if (length > NATIVE_LENGTH) return this.#longText(value, at)
    if (at + 2 + length > this.#limit) return FULL
    const bytes = this.#bytes
    bytes[at] = Form.shortText
    bytes[at + 1] = length
    const start = at + 2
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0xff) return this.#longText(value, at)
      bytes[start + i] = code
    }
    return start + length
  }

  #longText(value: string, at: number): number {
    const { length } = value
    const short = length <= MAX_SHORT
    const start = at + (short ? 2 : 5)
    const isWide = wide.test(value)
    const end = start + (isWide ? 2 * length : length)
    if (end > this.#limit) return FULL
    if (short) {
      this.#bytes[at] = isWide ? Form.shortWideText : Form.shortText
      this.#bytes[at + 1] = length
    } else {
      this.#bytes[at] = isWide ? Form.longWideText : Form.longText
      this.#view.setUint32(at + 1, length, true)
    }
    if (isWide) this.#buffer.write(value, start, end - start, 'utf16le')
    else this.#buffer.write(value, start, end - start, 'latin1')
    return end
  }

  #container(value: object, at: number, depth: number): number {
    if (depth >= MAX_DEPTH || types.isProxy(value)) return UNFIT
    const prototype = Object.getPrototypeOf(value)
    const isRecord = prototype === Object.prototype
    if (!isRecord && (prototype !== Array.prototype || !Array.isArray(value))) return UNFIT
    const met = this.#met
    for (let i = 0; i < this.#containers; i++) if (met[i] === value) return UNFIT
    if (this.#containers === MAX_CONTAINERS) return UNFIT
    met[this.#containers++] = value
    return isRecord
      ? this.#record(value as Readonly<Record<string, unknown>>, at, depth + 1)
      : this.#array(value as readonly unknown[], at, depth + 1)
  }

  #array(array: readonly unknown[], at: number, depth: number): number {
    const { length } = array
    if (length > MAX_ITEMS) return UNFIT
    let next = at + 3
    if (next > this.#limit) return FULL
    this.#bytes[at] = Form.array
    this.#view.setUint16(at + 1, length, true)
    for (let i = 0; i < length; i++) {
      const item = array[i]
      if (item === undefined && !(i in array)) return UNFIT
      next = typeof item === 'number' ? this.#number(item, next) : this.#value(item, next, depth)
      if (next < 0) return next
    }
    return next
  }

  #record(record: Readonly<Record<string, unknown>>, at: number, depth: number): number {
    // With something of its own in Object.prototype, a loop would find that in every record.
    for (const _ in empty) return UNFIT
    const start = at + 3
    if (start > this.#limit) return FULL
    let next = start
    let keys = 0
    for (const key in record) {
      next = this.#text(key, next)
      if (next < 0) return next
      keys++
    }
    if (next - start > MAX_KEYS) return UNFIT
    this.#bytes[at] = Form.record
    this.#view.setUint16(at + 1, next - start, true)
    for (const key in record) {
      next = this.#value(record[key], next, depth)
      if (next < 0) return next
      keys--
    }
    // A getter that adds or removes properties.
    return keys === 0 ? next : UNFIT
  }
}
