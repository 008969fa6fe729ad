import { BeamlineError } from '../errors.js'
import type { Clock, Timer } from '../threads/clock.js'
import type { Mailbox } from './mailbox.js'

interface Waiter {
  readonly match: (message: unknown) => boolean
  readonly resolve: (message: unknown) => void
  readonly reject: (error: unknown) => void
  timer: Timer | undefined
  /** How many of the oldest messages were looked at and left. */
  seen: number
}

/** What {@link Waiters} needs of the thread they are on. */
interface Surroundings {
  readonly clock: Clock
}

/** The `receive`s of one process that no message has met yet. */
export class Waiters {
  readonly #mailbox: Mailbox
  readonly #surroundings: Surroundings
  #waiting: Waiter[] = []

  constructor(mailbox: Mailbox, surroundings: Surroundings) {
    this.#mailbox = mailbox
    this.#surroundings = surroundings
  }

  /** The first message that `match` accepts: one that is there, or one that comes within `timeout` milliseconds. */
  wait(match: (message: unknown) => boolean, timeout: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { match, resolve, reject, timer: undefined, seen: 0 }
      if (this.#serveOne(waiter)) return
      const expire = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        reject(
          new BeamlineError('CALL_TIMEOUT', `no matching message came within ${timeout} ms`, { details: { timeout } }),
        )
      }
      if (timeout <= 0) return expire()
      if (timeout !== Number.POSITIVE_INFINITY) waiter.timer = this.#surroundings.clock.setTimeout(expire, timeout)
      this.#waiting.push(waiter)
    })
  }

  /** Gives waiting `receive`s what has arrived; how many were served. */
  serve(): number {
    if (this.#waiting.length === 0) return 0
    const before = this.#waiting
    this.#waiting = []
    const left = before.filter((waiter) => !this.#serveOne(waiter))
    this.#waiting = [...left, ...this.#waiting]
    return before.length - left.length
  }

  /** Positions have moved: every waiter looks at the whole mailbox again. */
  rescan(): void {
    for (const waiter of this.#waiting) waiter.seen = 0
  }

  /** The process is dead: no `receive` of it settles any more. */
  clear(): void {
    for (const waiter of this.#waiting.splice(0)) this.#disarm(waiter)
  }

  rejectAll(error: BeamlineError): void {
    for (const waiter of this.#waiting.splice(0)) {
      this.#disarm(waiter)
      waiter.reject(error)
    }
  }

  #serveOne(waiter: Waiter): boolean {
    try {
      const found = this.#mailbox.take(waiter.match, waiter.seen)
      waiter.seen = this.#mailbox.length
      if (found === undefined) return false
      this.rescan()
      this.#disarm(waiter)
      waiter.resolve(found.message)
    } catch (error) {
      this.#disarm(waiter)
      waiter.reject(error)
    }
    return true
  }

  #disarm(waiter: Waiter): void {
    if (waiter.timer !== undefined) this.#surroundings.clock.clearTimeout(waiter.timer)
  }
}
