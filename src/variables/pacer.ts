import type { Clock, Timer } from '../threads/clock.js'
import type { Change } from './change.js'

/** Two changes of a variable as one: from before the first to after the second. */
export function merge(earlier: Change, later: Change): Change {
  return { ...later, previous: earlier.previous }
}

/** Slows the changes of each variable down; whatever it holds back, the last value always comes. */
export interface Pacer {
  offer(change: Change): void
  /** Emits now what is held back of one variable, or of all. */
  flush(name?: string): void
  close(): void
}

/** Emits a change once no other of its variable has come for `ms` milliseconds. */
export class Debounce implements Pacer {
  readonly #clock: Clock
  readonly #ms: number
  readonly #emit: (change: Change) => void
  readonly #held = new Map<string, { readonly change: Change; readonly timer: Timer }>()

  constructor(clock: Clock, ms: number, emit: (change: Change) => void) {
    this.#clock = clock
    this.#ms = ms
    this.#emit = emit
  }

  offer(change: Change): void {
    const held = this.#held.get(change.name)
    if (held !== undefined) this.#clock.clearTimeout(held.timer)
    const latest = held === undefined ? change : merge(held.change, change)
    const timer = this.#clock.setTimeout(() => this.flush(change.name), this.#ms)
    this.#held.set(change.name, { change: latest, timer })
  }

  flush(name?: string): void {
    for (const [key, { change, timer }] of [...this.#held]) {
      if (name !== undefined && key !== name) continue
      this.#clock.clearTimeout(timer)
      this.#held.delete(key)
      this.#emit(change)
    }
  }

  close(): void {
    for (const { timer } of this.#held.values()) this.#clock.clearTimeout(timer)
    this.#held.clear()
  }
}

/** Emits at most one change of a variable in `ms` milliseconds: the first at once, then the latest of each interval. */
export class Throttle implements Pacer {
  readonly #clock: Clock
  readonly #ms: number
  readonly #emit: (change: Change) => void
  /** Variables whose interval runs, and what waits for its end. */
  readonly #running = new Map<string, { waiting: Change | undefined; timer: Timer }>()

  constructor(clock: Clock, ms: number, emit: (change: Change) => void) {
    this.#clock = clock
    this.#ms = ms
    this.#emit = emit
  }

  offer(change: Change): void {
    const running = this.#running.get(change.name)
    if (running === undefined) this.#send(change)
    else running.waiting = running.waiting === undefined ? change : merge(running.waiting, change)
  }

  #send(change: Change): void {
    const timer = this.#clock.setTimeout(() => this.#over(change.name), this.#ms)
    this.#running.set(change.name, { waiting: undefined, timer })
    this.#emit(change)
  }

  #over(name: string): void {
    const waiting = this.#running.get(name)?.waiting
    this.#running.delete(name)
    if (waiting !== undefined) this.#send(waiting)
  }

  flush(name?: string): void {
    for (const [key, { waiting, timer }] of [...this.#running]) {
      if (name !== undefined && key !== name) continue
      this.#clock.clearTimeout(timer)
      this.#running.delete(key)
      if (waiting !== undefined) this.#emit(waiting)
    }
  }

  close(): void {
    for (const { timer } of this.#running.values()) this.#clock.clearTimeout(timer)
    this.#running.clear()
  }
}
