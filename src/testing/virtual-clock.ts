import type { Clock, Timer } from '../threads/clock.js'

interface Waiting {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until {@link advance} moves its hands: for tests of whatever waits. */
export class VirtualClock implements Clock {
  #now = 0
  /** In the order in which they were started, which is also that of timers for the same moment. */
  readonly #timers = new Map<Timer, Waiting>()

  now(): number {
    return this.#now
  }

  /** Timers that have neither fired nor been cleared. */
  get pending(): number {
    return this.#timers.size
  }

  /** The moment of the earliest timer; `Infinity` without one. */
  get due(): number {
    return this.#next(Number.POSITIVE_INFINITY)?.[1].at ?? Number.POSITIVE_INFINITY
  }

  /** As Node's: a wait of less than a millisecond is one of a millisecond. */
  setTimeout(callback: () => void, ms: number): Timer {
    const timer = {}
    this.#timers.set(timer, { at: this.#now + Math.max(ms || 1, 1), callback })
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer)
  }

  /** Lets `ms` milliseconds pass: runs what is due, each at its moment, also what is started meanwhile. */
  advance(ms: number): void {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`a clock cannot be advanced by ${ms} ms`)
    this.advanceTo(this.#now + ms)
  }

  /** Lets time pass until `end`, a moment of {@link now}, as {@link advance} does. A moment that is past changes nothing. */
  advanceTo(end: number): void {
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [timer, { at, callback }] = next
      this.#timers.delete(timer)
      this.#now = at
      callback()
    }
    this.#now = Math.max(this.#now, end)
  }

  /** The earliest timer that is due by `end`. */
  #next(end: number): [Timer, Waiting] | undefined {
    let first: [Timer, Waiting] | undefined
    for (const entry of this.#timers) {
      const { at } = entry[1]
      if (at <= end && (first === undefined || at < first[1].at)) first = entry
    }
    return first
  }
}
