/** How often a supervisor may restart: `max` times in any window of `windowMs` milliseconds. */
export class Intensity {
  readonly #max: number
  readonly #windowMs: number
  /** When the restarts of the present window were, oldest first. */
  readonly #times: number[] = []

  constructor(max: number, windowMs: number) {
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts a restart at `now`. @returns whether it is still within the limit */
  allows(now: number): boolean {
    this.#times.push(now)
    const oldest = now - this.#windowMs
    while ((this.#times[0] as number) < oldest) this.#times.shift()
    return this.#times.length <= this.#max
  }
}
