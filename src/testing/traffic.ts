import type { Clock } from '../threads/clock.js'
import type { Transit } from '../threads/memory-link.js'
import type { SeededRandom } from './seeded-random.js'

/** One delivery that has not happened yet. */
export interface Parcel {
  readonly deliver: () => void
  readonly transit: Transit
  /** The moment from which it may arrive. */
  readonly due: number
}

/** What is on its way between simulated threads: within one way nothing overtakes, between two anything may. */
export class Traffic {
  readonly #clock: Clock
  readonly #random: SeededRandom
  readonly #latency: number
  /** Ways with something on them, in the order in which they filled. */
  readonly #ways = new Map<number, Parcel[]>()

  /** @param latency the most milliseconds that a delivery takes */
  constructor(clock: Clock, random: SeededRandom, latency: number) {
    this.#clock = clock
    this.#random = random
    this.#latency = latency
  }

  add(deliver: () => void, transit: Transit): void {
    const parcels = this.#ways.get(transit.way) ?? []
    const soonest = this.#clock.now() + this.#random.below(this.#latency + 1)
    parcels.push({ deliver, transit, due: Math.max(soonest, parcels.at(-1)?.due ?? 0) })
    this.#ways.set(transit.way, parcels)
  }

  /** Takes the first parcel of a way, drawn among those whose first is due. */
  take(): Parcel | undefined {
    const now = this.#clock.now()
    const ready = [...this.#ways.values()].filter(([first]) => (first as Parcel).due <= now)
    if (ready.length === 0) return undefined
    const parcels = this.#random.pick(ready)
    const parcel = parcels.shift() as Parcel
    if (parcels.length === 0) this.#ways.delete(parcel.transit.way)
    return parcel
  }

  /** The moment of the next parcel; `Infinity` without one. */
  get due(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#ways.values()].map(([first]) => (first as Parcel).due))
  }
}
