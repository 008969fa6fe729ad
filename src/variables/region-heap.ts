import { ensureBytes } from '../threads/growable-memory.js'

const smallest = 6
const largest = 31

/** Log2 of the region that holds so many bytes; 0, for none, when there are no bytes. */
export const regionFor = (bytes: number): number => (bytes === 0 ? 0 : Math.max(smallest, 32 - Math.clz32(bytes - 1)))

/** A region that is in use. */
export interface Region {
  readonly offset: number
  /** Log2 of its bytes. */
  readonly size: number
}

/** Gives out and takes back regions of 2^n bytes of a growable buffer. What is free is known only to this thread. */
export class RegionHeap {
  readonly #buffer: SharedArrayBuffer
  readonly #free: number[][] = Array.from({ length: largest + 1 }, () => [])
  #end = 0

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer
  }

  /** The regions in use are these, and whatever lies between them is free. */
  static recover(buffer: SharedArrayBuffer, used: readonly Region[]): RegionHeap {
    const heap = new RegionHeap(buffer)
    for (const { offset, size } of [...used].sort((a, b) => a.offset - b.offset)) {
      heap.#releaseGap(offset)
      heap.#end = offset + 2 ** size
    }
    return heap
  }

  /** All regions are multiples of the smallest, and so are the gaps. */
  #releaseGap(end: number): void {
    for (let offset = this.#end; offset < end; ) {
      const size = 31 - Math.clz32(end - offset)
      this.release(offset, size)
      offset += 2 ** size
    }
  }

  /** The offset of a region of 2^size bytes. A larger free one is split only when nothing else is left: then OVERFLOW. */
  allocate(size: number): number {
    const exact = this.#free[size]?.pop()
    if (exact !== undefined) return exact
    const offset = this.#end
    try {
      ensureBytes(this.#buffer, offset + 2 ** size)
    } catch (error) {
      const part = this.#split(size)
      if (part === undefined) throw error
      return part
    }
    this.#end = offset + 2 ** size
    return offset
  }

  release(offset: number, size: number): void {
    this.#free[size]?.push(offset)
  }

  #split(size: number): number | undefined {
    for (let larger = size + 1; larger <= largest; larger++) {
      const offset = this.#free[larger]?.pop()
      if (offset === undefined) continue
      while (larger > size) this.release(offset + 2 ** --larger, larger)
      return offset
    }
    return undefined
  }
}
