import { BeamlineError } from '../errors.js'

/** The longest key, in bytes of UTF-8. */
const maxBytes = 512
/** The longest key, in int32 words. */
export const maxKeyWords = maxBytes / 4

/** One key as a {@link SharedMap} stores and compares it: its UTF-8 bytes, four to a word, and their hash. Reused. */
export class PackedKey {
  readonly words = new Int32Array(maxKeyWords)
  bytes = 0
  hash = 0
  #seen = 0

  /** Takes the bytes of `key`. Throws INVALID_TYPE when it is no well-formed string of 1 to 512 of them. */
  pack(key: string): this {
    if (typeof key !== 'string' || key.length === 0 || key.length > maxBytes) throw invalidKey(key)
    this.#pack(key)
    if (this.#seen < 128) return this
    const utf8 = Buffer.from(key)
    if (utf8.length > maxBytes || loneSurrogate.test(key)) throw invalidKey(key)
    this.#pack(utf8.toString('latin1'))
    return this
  }

  /** How many words the bytes take. */
  get length(): number {
    return (this.bytes + 3) >>> 2
  }

  /** Each character gives one byte: right for ASCII, which nearly every key is, and noticed in `#seen` otherwise. */
  #pack(text: string): void {
    const words = this.words
    const length = text.length
    const tail = length & ~3
    let hash = length
    let seen = 0
    for (let i = 0; i < tail; i += 4) {
      const a = text.charCodeAt(i)
      const b = text.charCodeAt(i + 1)
      const c = text.charCodeAt(i + 2)
      const d = text.charCodeAt(i + 3)
      const word = a | (b << 8) | (c << 16) | (d << 24)
      seen |= a | b | c | d
      words[i >>> 2] = word
      hash = mix(hash, word)
    }
    if (tail < length) {
      let word = 0
      for (let i = tail; i < length; i++) {
        const code = text.charCodeAt(i)
        seen |= code
        word |= code << (8 * (i - tail))
      }
      words[tail >>> 2] = word
      hash = mix(hash, word)
    }
    this.bytes = length
    this.hash = mix(hash, 0)
    this.#seen = seen
  }
}

/** The key whose `bytes` bytes begin at `words[at]`. */
export function unpackKey(words: Int32Array, at: number, bytes: number): string {
  const utf8 = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) utf8[i] = (words[at + (i >>> 2)] as number) >>> (8 * (i & 3))
  return utf8.toString()
}

const loneSurrogate = /\p{Surrogate}/u

function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

function invalidKey(key: unknown): BeamlineError {
  const what = typeof key === 'string' ? `a string of ${Buffer.byteLength(key)} bytes` : `a value of type ${typeof key}`
  return new BeamlineError(
    'INVALID_TYPE',
    `a key is a well-formed string of 1 to ${maxBytes} UTF-8 bytes, not ${what}`,
    {
      details: { limit: maxBytes },
    },
  )
}
