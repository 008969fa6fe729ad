import type { Clock, Timer } from '../../threads/clock.js'

/** Signs of life that may fail to come. */
const MISSED = 3

export interface LivenessParts {
  readonly clock: Clock
  /** Milliseconds between two signs of life. */
  readonly beat: number
  /** Runs its argument once what has come meanwhile has been read. */
  readonly afterInput: (then: () => void) => void
  readonly ping: () => void
  readonly dead: () => void
}

/** Gives signs of life, and misses those of the other side. */
export class Liveness {
  readonly #parts: LivenessParts
  #heard: number
  #proof = Date.now()
  #beat: Timer | undefined
  #limit: Timer | undefined
  #stopped = false

  constructor(parts: LivenessParts) {
    this.#parts = parts
    this.#heard = parts.clock.now()
    this.#next()
    this.#watch(this.#patience)
  }

  /** Milliseconds since 1970 of the last proof of life. */
  get proof(): number {
    return this.#proof
  }

  get #patience(): number {
    return MISSED * this.#parts.beat
  }

  heard(): void {
    this.#heard = this.#parts.clock.now()
    this.#proof = Date.now()
  }

  stop(): void {
    this.#stopped = true
    const { clock } = this.#parts
    if (this.#beat !== undefined) clock.clearTimeout(this.#beat)
    if (this.#limit !== undefined) clock.clearTimeout(this.#limit)
  }

  #next(): void {
    this.#beat = this.#parts.clock.setTimeout(() => {
      this.#next()
      this.#parts.ping()
    }, this.#parts.beat)
  }

  #watch(ms: number): void {
    this.#limit = this.#parts.clock.setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    if (this.#left > 0) return this.#watch(this.#left)
    // It may be this thread that stood still, and the signs wait to be read.
    this.#parts.afterInput(() => {
      if (this.#stopped) return
      if (this.#left > 0) this.#watch(this.#left)
      else this.#parts.dead()
    })
  }

  get #left(): number {
    return this.#heard + this.#patience - this.#parts.clock.now()
  }
}
