/**
 * What was read lately from short pieces of one buffer, found by their bytes: property names and other words come again
 * and again, and to make a string anew costs more than to find it. What comes for the first time is only noted, so that
 * texts that never come again push nothing out.
 */
export class ByteCache<T> {
  readonly #view: DataView
  readonly #make: (at: number, length: number) => T
  readonly #maxBytes: number
  readonly #mask: number
  readonly #values: (T | undefined)[]
  readonly #lengths: Int32Array
  /** The bytes of each value, `maxBytes` apart. */
  readonly #known: DataView
  /** The hash of what came last to each pair of places without being found. */
  readonly #noted: Int32Array

  /** Holds as many values as `places`, a power of two; `make` reads one. Longer pieces than `maxBytes` are read each time. */
  constructor(
    memory: SharedArrayBuffer | ArrayBuffer,
    places: number,
    maxBytes: number,
    make: (at: number, length: number) => T,
  ) {
    this.#view = new DataView(memory)
    this.#make = make
    this.#maxBytes = maxBytes
    this.#mask = places - 2
    this.#values = new Array(places).fill(undefined)
    this.#lengths = new Int32Array(places).fill(-1)
    this.#known = new DataView(new ArrayBuffer(places * maxBytes))
    this.#noted = new Int32Array(places)
  }

  /** What stands in the `length` bytes from `at` on. */
  read(at: number, length: number): T {
    if (length > this.#maxBytes) return this.#make(at, length)
    const hash = this.#hash(at, length)
    const place = hash & this.#mask
    if (this.#holds(place, at, length)) return this.#values[place] as T
    if (this.#holds(place + 1, at, length)) return this.#values[place + 1] as T
    const value = this.#make(at, length)
    if (this.#noted[place] === hash) this.#keep(place + ((hash >>> 30) & 1), at, length, value)
    else this.#noted[place] = hash
    return value
  }

  #hash(at: number, length: number): number {
    const view = this.#view
    let hash = length
    let i = 0
    for (; i + 4 <= length; i += 4) hash = mixed(hash, view.getInt32(at + i, true))
    for (; i < length; i++) hash = mixed(hash, view.getUint8(at + i))
    return hash ^ (hash >>> 16)
  }

  #holds(place: number, at: number, length: number): boolean {
    if (this.#lengths[place] !== length) return false
    const view = this.#view
    const known = this.#known
    const start = place * this.#maxBytes
    let i = 0
    for (; i + 4 <= length; i += 4) if (view.getInt32(at + i, true) !== known.getInt32(start + i, true)) return false
    for (; i < length; i++) if (view.getUint8(at + i) !== known.getUint8(start + i)) return false
    return true
  }

  #keep(place: number, at: number, length: number, value: T): void {
    this.#values[place] = value
    this.#lengths[place] = length
    const start = place * this.#maxBytes
    for (let i = 0; i < length; i++) this.#known.setUint8(start + i, this.#view.getUint8(at + i))
  }
}

/** Whatever differs shows in the upper half. */
const mixed = (hash: number, part: number): number => Math.imul(hash ^ part, 0x9e3779b1)
