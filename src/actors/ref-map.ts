import type { Ref } from '../threads/pid.js'

/** What is kept under a reference. */
interface Entry {
  readonly ref: Ref
}

/** The places of the smallest table, and of the largest that is kept when it is empty. */
const SMALLEST = 4
const KEPT = 64

/**
 * Entries by the reference they carry; takes no memory until it has one. For what comes and goes with every message: in a
 * `Map`, each table that has been outgrown keeps what was in it until the next full collection, and calls that overlap
 * spent half of their time on that.
 */
export class RefMap<E extends Entry> {
  /** An entry stands in the first place, from that of its hash on, that was free; at most half are taken. */
  #places: (E | undefined)[] | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(ref: Entry['ref']): E | undefined {
    return this.find(ref.thread, ref.serial)
  }

  has(ref: Entry['ref']): boolean {
    return this.get(ref) !== undefined
  }

  /** The entry of the reference with these numbers. */
  find(thread: number, serial: number): E | undefined {
    const places = this.#places
    if (places === undefined) return undefined
    for (let i = home(serial, places.length); ; i = (i + 1) & (places.length - 1)) {
      const entry = places[i]
      if (entry === undefined || (entry.ref.serial === serial && entry.ref.thread === thread)) return entry
    }
  }

  /** Its reference must be new. */
  add(entry: E): void {
    this.#places ??= empty(SMALLEST)
    if (this.#size * 2 >= this.#places.length) this.#grow(this.#places)
    put(this.#places, entry)
    this.#size++
  }

  /** Takes an entry out. @returns it, if it was there */
  remove(ref: Entry['ref']): E | undefined {
    return this.take(ref.thread, ref.serial)
  }

  /** Takes out the entry of the reference with these numbers. */
  take(thread: number, serial: number): E | undefined {
    const places = this.#places
    if (places === undefined) return undefined
    const mask = places.length - 1
    let i = home(serial, places.length)
    let entry = places[i]
    while (entry !== undefined && (entry.ref.serial !== serial || entry.ref.thread !== thread)) {
      i = (i + 1) & mask
      entry = places[i]
    }
    if (entry === undefined) return undefined
    closeGap(places, i)
    this.#size--
    if (this.#size === 0 && places.length > KEPT) this.#places = undefined
    return entry
  }

  /** The entries at this moment, by serial: the map may change while they are walked through. */
  values(): E[] {
    if (this.#places === undefined) return []
    return this.#places.filter((entry) => entry !== undefined).sort((a, b) => a.ref.serial - b.ref.serial)
  }

  #grow(places: (E | undefined)[]): void {
    const larger = empty<E>(places.length * 2)
    for (const entry of places) if (entry !== undefined) put(larger, entry)
    this.#places = larger
  }
}

function empty<E>(places: number): (E | undefined)[] {
  return new Array(places).fill(undefined)
}

/** References that follow each other are spread out, or a gap in their row would move all behind it. */
function home(serial: number, places: number): number {
  return Math.imul(serial, 0x9e3779b1) >>> Math.clz32(places - 1)
}

function put<E extends Entry>(places: (E | undefined)[], entry: E): void {
  let i = home(entry.ref.serial, places.length)
  while (places[i] !== undefined) i = (i + 1) & (places.length - 1)
  places[i] = entry
}

/** Moves up what could not stand in its own place because of the one that goes. */
function closeGap<E extends Entry>(places: (E | undefined)[], at: number): void {
  const mask = places.length - 1
  let gap = at
  for (let i = (at + 1) & mask; ; i = (i + 1) & mask) {
    const entry = places[i]
    if (entry === undefined) break
    // It may move unless its own place lies behind the gap.
    if (((i - home(entry.ref.serial, places.length)) & mask) < ((i - gap) & mask)) continue
    places[gap] = entry
    gap = i
  }
  places[gap] = undefined
}
