import type { Write } from '../../variables/state.js'

/** Commands that are plain sets, under numbers that follow each other. */
export interface Sets {
  readonly seq: number
  readonly names: string[]
  readonly values: unknown[]
}

/** Whether nothing is said of a value. */
export const isPlain = ({ metadata, expectedVersion }: Write): boolean =>
  metadata === undefined && expectedVersion === undefined

/** Plain sets that leave together, once the code that runs now has come to rest. */
export class PlainSets {
  readonly #tell: (sets: Sets) => void
  #waiting: Sets | undefined

  constructor(tell: (sets: Sets) => void) {
    this.#tell = tell
  }

  add(seq: number, { name, value }: Write): void {
    if (this.#waiting === undefined) {
      this.#waiting = { seq, names: [], values: [] }
      queueMicrotask(this.flush)
    }
    this.#waiting.names.push(name)
    this.#waiting.values.push(value)
  }

  /** Before anything else may be told. */
  readonly flush = (): void => {
    const sets = this.#waiting
    this.#waiting = undefined
    if (sets !== undefined) this.#tell(sets)
  }

  /** There is nobody to be told. */
  drop(): void {
    this.#waiting = undefined
  }
}
