/** Takes the time of the part of a piece of work that is to be measured. */
export class Stopwatch {
  #started: bigint | undefined
  #stopped: bigint | undefined

  start(): void {
    this.#started = process.hrtime.bigint()
  }

  /** @param at when it was, should another thread know: the clock is the same on all of them */
  stop(at: bigint = process.hrtime.bigint()): void {
    this.#stopped = at
  }

  /** The nanoseconds from `start` to `stop`, once. */
  take(): number {
    const [started, stopped] = [this.#started, this.#stopped]
    this.#started = this.#stopped = undefined
    if (started === undefined || stopped === undefined) throw new Error('an arm did not start and stop its watch')
    return Number(stopped - started)
  }
}
