import { BeamlineError } from '../errors.js'
import type { Clock, Timer } from '../threads/clock.js'
import { Mailbox } from './mailbox.js'

/** Whether a message is the one that is waited for; without one, every message is. */
export type Match = ((message: unknown) => boolean) | undefined

/** A `receive` that waits. */
class Waiter {
  readonly match: Match
  readonly resolve: (message: unknown) => void
  timer: Timer | undefined
  /** How many of the oldest messages were looked at and left. */
  seen: number
  next: Waiter | undefined

  constructor(match: Match, seen: number, resolve: (message: unknown) => void) {
    this.match = match
    this.seen = seen
    this.resolve = resolve
  }

  /** As a promise that is rejected has the same effect, each is spared a function of its own for that. */
  reject(error: unknown): void {
    this.resolve(Promise.reject(error))
  }
}

/** The messages of one process, and its `receive`s that no message has met yet, oldest first. */
export class Inbox extends Mailbox {
  /** Nothing is taken while this is set. */
  held = false
  /** Hears of every message that is taken. */
  onTaken: ((message: unknown) => void) | undefined
  #first: Waiter | undefined

  /** Whether a `receive` waits. */
  get waiting(): boolean {
    return this.#first !== undefined
  }

  /** Resolves with the first message that `match` accepts: one that is there, or comes within `timeout` milliseconds. */
  wait(match: Match, timeout: number, clock: Clock, resolve: (message: unknown) => void): void {
    const at = this.held ? -1 : this.find(match, 0)
    if (at >= 0) return resolve(this.#take(at))
    const waiter = new Waiter(match, this.held ? 0 : this.length, resolve)
    if (timeout <= 0) return waiter.reject(nothingCame(timeout))
    this.#append(waiter)
    if (timeout !== Number.POSITIVE_INFINITY) this.#arm(waiter, timeout, clock)
  }

  #append(waiter: Waiter): void {
    let last = this.#first
    if (last === undefined) {
      this.#first = waiter
      return
    }
    while (last.next !== undefined) last = last.next
    last.next = waiter
  }

  #arm(waiter: Waiter, timeout: number, clock: Clock): void {
    waiter.timer = clock.setTimeout(() => {
      this.#remove(waiter)
      waiter.reject(nothingCame(timeout))
    }, timeout)
  }

  /** Gives waiting `receive`s what has arrived; how many were served. */
  serve(clock: Clock): number {
    if (this.held) return 0
    let served = 0
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (!this.#serveOne(waiter)) continue
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      this.#remove(waiter)
      served++
    }
    return served
  }

  #serveOne(waiter: Waiter): boolean {
    try {
      const at = this.find(waiter.match, waiter.seen)
      waiter.seen = this.length
      if (at < 0) return false
      waiter.resolve(this.#take(at))
    } catch (error) {
      waiter.reject(error)
    }
    return true
  }

  #take(at: number): unknown {
    const message = this.remove(at)
    if (this.onTaken !== undefined) this.onTaken(message)
    return message
  }

  #remove(waiter: Waiter): void {
    if (this.#first === waiter) {
      this.#first = waiter.next
      return
    }
    for (let before = this.#first; before !== undefined; before = before.next) {
      if (before.next !== waiter) continue
      before.next = waiter.next
      return
    }
  }

  override remove(position: number): unknown {
    this.#rescan()
    return super.remove(position)
  }

  /** Positions have moved: every waiter looks at the whole mailbox again. */
  #rescan(): void {
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) waiter.seen = 0
  }

  /** No `receive` settles any more, or, with an error, each is rejected with it. */
  clear(clock: Clock, error?: BeamlineError): void {
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      if (error !== undefined) waiter.reject(error)
    }
    this.#first = undefined
  }
}

function nothingCame(timeout: number): BeamlineError {
  return new BeamlineError('CALL_TIMEOUT', `no matching message came within ${timeout} ms`, { details: { timeout } })
}
