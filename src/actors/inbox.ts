import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import { Mailbox } from './mailbox.js'
import { type Match, Waiter, Waiters } from './waiters.js'

/** The messages of one process, and its `receive`s that no message has met yet. */
export class Inbox extends Mailbox {
  /** Nothing is taken while this is set. */
  held = false
  /** What resolves the only `receive`, where that takes any message and has any time, as most do. */
  #only: ((message: unknown) => void) | undefined
  /** Those that wait, and are heard, where it is not as simple. */
  #waiters: Waiters | undefined

  /** Whether a `receive` waits. */
  get waiting(): boolean {
    return this.#only !== undefined || this.#waiters?.first !== undefined
  }

  /** Resolves with the first message that `match` accepts: one that is there, or comes within `timeout` milliseconds. */
  wait(match: Match, timeout: number, clock: Clock, resolve: (message: unknown) => void): void {
    const at = this.held ? -1 : this.find(match, 0)
    if (at >= 0) return resolve(this.take(at))
    if (timeout <= 0) return resolve(Promise.reject(nothingCame(timeout)))
    if (match === undefined && timeout === Number.POSITIVE_INFINITY && !this.waiting) {
      this.#only = resolve
      return
    }
    this.#waiters ??= new Waiters()
    if (this.#only !== undefined) this.#waiters.append(new Waiter(undefined, 0, this.#only))
    this.#only = undefined
    const waiter = new Waiter(match, this.held ? 0 : this.length, resolve)
    this.#waiters.append(waiter)
    if (timeout === Number.POSITIVE_INFINITY) return
    waiter.timer = clock.setTimeout(() => {
      this.#waiters?.remove(waiter)
      waiter.reject(nothingCame(timeout))
    }, timeout)
  }

  /** Gives waiting `receive`s what has arrived; how many were served. */
  serve(clock: Clock): number {
    if (this.held) return 0
    if (this.#only !== undefined) {
      if (this.length === 0) return 0
      const resolve = this.#only
      this.#only = undefined
      resolve(this.take(0))
      return 1
    }
    let served = 0
    for (let waiter = this.#waiters?.first; waiter !== undefined; waiter = waiter.next) {
      if (!serveOne(waiter, this)) continue
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      this.#waiters?.remove(waiter)
      served++
    }
    return served
  }

  /** From now on `hear` hears of every message that a `receive` takes. */
  onTaken(hear: ((message: unknown) => void) | undefined): void {
    this.#waiters ??= new Waiters()
    this.#waiters.onTaken = hear
  }

  /** Takes the message at a position for a `receive`. */
  take(position: number): unknown {
    const message = this.remove(position)
    this.#waiters?.onTaken?.(message)
    return message
  }

  override remove(position: number): unknown {
    this.#waiters?.rescan()
    return super.remove(position)
  }

  /** No `receive` settles any more, or, with an error, each is rejected with it. */
  clear(clock: Clock, error?: BeamlineError): void {
    if (error !== undefined) this.#only?.(Promise.reject(error))
    this.#only = undefined
    for (let waiter = this.#waiters?.first; waiter !== undefined; waiter = waiter.next) {
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      if (error !== undefined) waiter.reject(error)
    }
    this.#waiters = undefined
  }
}

/** A match of a user's may throw: that is the end of its `receive`. */
function serveOne(waiter: Waiter, inbox: Inbox): boolean {
  try {
    const at = inbox.find(waiter.match, waiter.seen)
    waiter.seen = inbox.length
    if (at < 0) return false
    waiter.resolve(inbox.take(at))
  } catch (error) {
    waiter.reject(error)
  }
  return true
}

function nothingCame(timeout: number): BeamlineError {
  return new BeamlineError('CALL_TIMEOUT', `no matching message came within ${timeout} ms`, { details: { timeout } })
}
