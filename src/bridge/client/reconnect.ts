/** Milliseconds of connection after which the next wait is a first one again. */
const HEALTHY = 60_000

/**
 * The waits before a client connects again: anywhere between none and a limit that doubles each time, so that the clients
 * of a server that comes back do not come at one moment.
 */
export class Reconnect {
  readonly #base: number
  readonly #cap: number
  readonly #random: () => number
  #tries = 0
  #since: number | undefined

  /** @param random from 0 to 1 */
  constructor({ base, cap }: { readonly base: number; readonly cap: number }, random: () => number = Math.random) {
    this.#base = base
    this.#cap = cap
    this.#random = random
  }

  /** A connection holds from `now` on. */
  connected(now: number): void {
    this.#since = now
  }

  /** The connection, or the attempt at one, is over at `now`: milliseconds to wait. @param asked what the server asked for */
  next(now: number, asked = 0): number {
    if (this.#since !== undefined && now - this.#since >= HEALTHY) this.#tries = 0
    this.#since = undefined
    const limit = Math.min(this.#cap, this.#base * 2 ** this.#tries)
    if (limit < this.#cap) this.#tries++
    return asked > 0 ? asked : this.#random() * limit
  }
}
