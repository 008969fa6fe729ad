/** Wire types of protobuf. */
export const VARINT = 0
export const DOUBLE = 1
export const BYTES = 2

/** Characters of a text that are looked at one by one. */
const SHORT = 48
/** Bytes at first. */
const ROOM = 4096
/** Bytes that are kept. */
const MOST = 65_536
/** Copied byte by byte: a view of the buffer takes longer to make. */
const FEW = 96

/**
 * Writes protobuf from the end to the beginning, so that the length of what is nested is known when it has to be written.
 * The last field of a message is the first to be written. For the few messages that are sent most: several times as fast
 * as what is generated.
 */
export class BackwardWriter {
  #bytes = Buffer.allocUnsafeSlow(ROOM)
  #at = ROOM

  /** Where the writing is: what is to be {@link nest | nested} ends here. */
  get here(): number {
    return this.#at - this.#bytes.length
  }

  /** What was written, and nothing is any more. */
  finish(): Buffer {
    const from = this.#at
    const size = this.#bytes.length - from
    const all = Buffer.allocUnsafe(size)
    if (size > FEW) this.#bytes.copy(all, 0, from)
    else for (let at = 0; at < size; at++) all[at] = this.#bytes[from + at] as number
    // One that had to grow is not kept for what is small.
    if (this.#bytes.length > MOST) this.#bytes = Buffer.allocUnsafeSlow(ROOM)
    this.#at = this.#bytes.length
    return all
  }

  /** A whole number from 0 to 2^53. */
  varint(field: number, value: number): void {
    this.#number(value)
    this.#number((field << 3) | VARINT)
  }

  double(field: number, value: number): void {
    this.#reserve(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at - 8) - 8
    this.#number((field << 3) | DOUBLE)
  }

  text(field: number, value: string): void {
    const end = this.here
    if (!this.#ascii(value)) {
      const size = Buffer.byteLength(value)
      this.#reserve(size)
      this.#at -= size
      this.#bytes.write(value, this.#at, size, 'utf8')
    }
    this.nest(field, end)
  }

  /** Makes one field of all that was written since `end` was {@link here}. */
  nest(field: number, end: number): void {
    this.#number(end - this.here)
    this.#number((field << 3) | BYTES)
  }

  /** @returns false, with nothing written, for a text that is long or not ASCII */
  #ascii(value: string): boolean {
    const size = value.length
    if (size > SHORT) return false
    this.#reserve(size)
    const from = this.#at - size
    for (let at = 0; at < size; at++) {
      const code = value.charCodeAt(at)
      if (code > 127) return false
      this.#bytes[from + at] = code
    }
    this.#at = from
    return true
  }

  #number(value: number): void {
    this.#reserve(8)
    if (value < 128) {
      this.#bytes[--this.#at] = value
      return
    }
    let size = 1
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
    let at = this.#at - size
    this.#at = at
    let rest = value
    while (rest >= 128) {
      this.#bytes[at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[at] = rest
  }

  #reserve(size: number): void {
    if (this.#at >= size) return
    const used = this.#bytes.length - this.#at
    const larger = Buffer.allocUnsafeSlow(2 * (used + size) + ROOM)
    this.#bytes.copy(larger, larger.length - used, this.#at)
    this.#at = larger.length - used
    this.#bytes = larger
  }
}
