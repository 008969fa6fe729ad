import type { HistoryEntry, Metadata } from './change.js'

/** The latest values of a variable, in columns, so that keeping a number allocates nothing. Versions have no gaps. */
export class ValueHistory {
  readonly limit: number
  #values: unknown[] = new Array(2)
  #revisions = new Float64Array(2)
  #timestamps = new Float64Array(2)
  /** What the writers said, once one has said anything. */
  #said: (Metadata | undefined)[] | undefined
  #newest = -1
  #count = 0

  /** @param limit how many values are kept; the one before the present one always is, for the change between them */
  constructor(limit: number) {
    this.limit = limit
  }

  get count(): number {
    return Math.min(this.#count, this.limit)
  }

  get oldest(): number {
    return this.#newest - this.count + 1
  }

  push(version: number, value: unknown, revision: number, timestamp: number, said: Metadata | undefined): void {
    const size = this.#values.length
    if (this.#count === size && size < this.limit) this.#grow()
    const slot = version & (this.#values.length - 1)
    this.#newest = version
    if (this.#count < this.#values.length) this.#count++
    this.#values[slot] = value
    this.#revisions[slot] = revision
    this.#timestamps[slot] = timestamp
    if (said !== undefined) this.#said ??= new Array(this.#values.length)
    if (this.#said !== undefined) this.#said[slot] = said
  }

  value(version: number): unknown {
    return this.#values[version & (this.#values.length - 1)]
  }

  revision(version: number): number {
    return this.#revisions[version & (this.#values.length - 1)] as number
  }

  timestamp(version: number): number {
    return this.#timestamps[version & (this.#values.length - 1)] as number
  }

  /** What its writer said. */
  said(version: number): Metadata | undefined {
    return this.#said?.[version & (this.#values.length - 1)]
  }

  /** The number of slots is a power of two, so that a version says which is its own. */
  #grow(): void {
    const [values, revisions, timestamps, said] = [this.#values, this.#revisions, this.#timestamps, this.#said]
    const size = 2 * values.length
    this.#values = new Array(size)
    this.#revisions = new Float64Array(size)
    this.#timestamps = new Float64Array(size)
    if (said !== undefined) this.#said = new Array(size)
    for (let version = this.#newest - this.#count + 1; version <= this.#newest; version++) {
      const [from, to] = [version & (values.length - 1), version & (size - 1)]
      this.#values[to] = values[from]
      this.#revisions[to] = revisions[from] as number
      this.#timestamps[to] = timestamps[from] as number
      if (this.#said !== undefined) this.#said[to] = said?.[from]
    }
  }

  entry(version: number): HistoryEntry {
    return {
      version,
      value: this.value(version),
      revision: this.revision(version),
      timestamp: this.timestamp(version),
      metadata: withSource(this.said(version)),
    }
  }
}

/** The metadata of a writer who gave none. */
export const unsaid: { readonly source: string } = Object.freeze({ source: 'local' })

/** What a writer said, and who it was if that was not said. */
export const withSource = (said: Metadata | undefined): Metadata =>
  said === undefined ? unsaid : { ...unsaid, ...said }
