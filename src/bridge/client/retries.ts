import type { Clock, Timer } from '../../threads/clock.js'

/** Milliseconds between looks for a session that a new server does not have yet: whoever runs it may bring it back. */
const LOOKS = [50, 100, 200, 300, 350]

/** When a session that the server did not give is asked for again. */
export class Retries {
  readonly #clock: Clock
  #looks = 0
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  after(ms: number, then: () => void): void {
    this.stop()
    this.#timer = this.#clock.setTimeout(then, ms)
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** @returns milliseconds until the next look; undefined when it has been looked for long enough */
  look(): number | undefined {
    const ms = LOOKS[this.#looks++]
    if (ms === undefined) this.found()
    return ms
  }

  found(): void {
    this.#looks = 0
  }
}
