import { ByteCache } from './byte-cache.js'
import { setPart } from './tree-copier.js'
import { corrupt, Form, MAX_DEPTH, MAX_SMALL } from './value-form.js'

/** Reads values back that a writer put into the bytes of the same buffer, which do not change meanwhile. */
export class ValueReader {
  /** The byte after the value that was read last. */
  position = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #buffer: Buffer
  readonly #words: ByteCache<string>
  /** The property names of records. */
  readonly #shapes: ByteCache<readonly string[]>
  #end = 0

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
    this.#view = new DataView(memory)
    this.#buffer = Buffer.from(memory)
    this.#words = new ByteCache(memory, 512, 24, (at, length) => this.#buffer.toString('latin1', at, at + length))
    this.#shapes = new ByteCache(memory, 64, 512, (at, length) => this.#readShape(at, at + length))
  }

  /**
   * The value at `at`, all of which lies below `end`.
   * @throws BeamlineError CORRUPT when there is none; nothing outside was looked at
   */
  read(at: number, end: number): unknown {
    this.position = at
    this.#end = end
    return this.#value(0)
  }

  #value(depth: number): unknown {
    const at = this.#take(1)
    const form = this.#bytes[at] as number
    if (form >= Form.small) return form & MAX_SMALL
    switch (form) {
      case Form.double:
        return this.#view.getFloat64(this.#take(8), true)
      case Form.integer:
        return this.#view.getInt32(this.#take(4), true)
      case Form.record:
        return this.#record(depth + 1)
      case Form.array:
        return this.#array(depth + 1)
      case Form.null:
        return null
      case Form.true:
        return true
      case Form.false:
        return false
      case Form.undefined:
        return undefined
      default:
        return this.#text(form, at)
    }
  }

  /** Goes on by `length` bytes. @returns the first of them */
  #take(length: number): number {
    const at = this.position
    const next = at + length
    if (next > this.#end) throw corrupt('A value without its end', at)
    this.position = next
    return at
  }

  #text(form: number, at: number): string {
    switch (form) {
      case Form.shortText: {
        const length = this.#bytes[this.#take(1)] as number
        return this.#words.read(this.#take(length), length)
      }
      case Form.shortWideText:
        return this.#wide(this.#bytes[this.#take(1)] as number)
      case Form.longText: {
        const start = this.#take(this.#length())
        return this.#buffer.toString('latin1', start, this.position)
      }
      case Form.longWideText:
        return this.#wide(this.#length())
      default:
        throw corrupt('No value', at)
    }
  }

  #length(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #wide(length: number): string {
    const start = this.#take(2 * length)
    return this.#buffer.toString('utf16le', start, this.position)
  }

  #array(depth: number): unknown[] {
    const at = this.#take(2)
    const length = this.#view.getUint16(at, true)
    // Each item has a byte at least: nobody makes an array for more.
    if (length > this.#end - this.position || depth > MAX_DEPTH) throw corrupt('No array', at)
    const array = new Array<unknown>(length)
    for (let i = 0; i < length; i++) array[i] = this.#value(depth)
    return array
  }

  #record(depth: number): object {
    const at = this.#take(2)
    const length = this.#view.getUint16(at, true)
    if (depth > MAX_DEPTH) throw corrupt('No record', at)
    const keys = this.#shapes.read(this.#take(length), length)
    const record: Record<string, unknown> = {}
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const value = this.#value(depth)
      if (key === '__proto__') setPart(record, key, value)
      else record[key] = value
    }
    return record
  }

  /** The texts that fill the bytes from `at` to `end`, which is where reading is. */
  #readShape(at: number, end: number): string[] {
    const keys: string[] = []
    const whole = this.#end
    this.#end = end
    this.position = at
    while (this.position < end) {
      const start = this.#take(1)
      keys.push(internalized(this.#text(this.#bytes[start] as number, start)))
    }
    this.#end = whole
    return keys
  }
}

/** The same text as V8 keeps it for property names: with any other it would look for that one each time. */
const internalized = (text: string): string => Object.keys({ [text]: 0 })[0] as string
