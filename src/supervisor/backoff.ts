/** Waits between restarts, which grow from crash to crash. */
export interface BackoffOptions {
  /** Milliseconds before the first restart. */
  readonly initial: number
  /** The longest wait, in milliseconds; 30,000, or `initial` if that is more. */
  readonly max?: number
  /** By how much each wait is longer than the one before; 2. */
  readonly factor?: number
  /** The part of each wait, from 0 to 1, that is left to chance, so that many do not come back at one moment; 0. */
  readonly jitter?: number
}

export type BackoffLimits = Required<BackoffOptions>

/**
 * The waits of one child. One that has been left alone for as long as the longest wait after a restart counts as stable:
 * the next wait is the first one again.
 */
export class Backoff {
  readonly #limits: BackoffLimits
  #tries = 0
  #dueAt = Number.NEGATIVE_INFINITY

  constructor(limits: BackoffLimits) {
    this.#limits = limits
  }

  /** Milliseconds to wait before the restart that is wanted at `now`. @param chance from 0 to 1 */
  next(now: number, chance = Math.random()): number {
    const { initial, max, factor, jitter } = this.#limits
    if (now - this.#dueAt >= max) this.#tries = 0
    const full = Math.min(max, initial * factor ** this.#tries)
    const wait = full * (1 - jitter * chance)
    this.#tries++
    this.#dueAt = now + wait
    return wait
  }
}
