/** While so much is under way for a client, or answers not taken, no more is read. */
const MOST_UNDER_WAY = 4096

/** What is read from. */
export interface Source {
  pause(): void
  resume(): void
}

/** How much is under way for a client: what it does not take, or waits for, must not grow without bound. */
export class Load {
  readonly #source: Source
  readonly #held: () => number
  readonly #resumed: () => void
  #underWay = 0
  #isPaused = false

  /**
   * @param held answers that the client has not taken
   * @param resumed is told when more is read again
   */
  constructor(source: Source, held: () => number, resumed: () => void) {
    this.#source = source
    this.#held = held
    this.#resumed = resumed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether nothing is under way. */
  get isNone(): boolean {
    return this.#underWay === 0
  }

  begin(): void {
    this.#underWay++
    this.pace()
  }

  end(count = 1): void {
    this.#underWay -= count
    this.pace()
  }

  pace(): void {
    const count = Math.max(this.#underWay, this.#held())
    if (!this.#isPaused && count >= MOST_UNDER_WAY) {
      this.#isPaused = true
      this.#source.pause()
    } else if (this.#isPaused && count < MOST_UNDER_WAY / 2) {
      this.#isPaused = false
      this.#resumed()
      this.#source.resume()
    }
  }
}
