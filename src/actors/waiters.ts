import { BeamlineError } from '../errors.js'
import type { Clock, Timer } from '../threads/clock.js'
import type { Mailbox } from './mailbox.js'

/** Whether a message is the one that is waited for; without one, every message is. */
export type Match = ((message: unknown) => boolean) | undefined

interface Waiter {
  readonly match: Match
  readonly resolve: (message: unknown) => void
  readonly reject: (error: unknown) => void
  timer: Timer | undefined
  /** How many of the oldest messages were looked at and left. */
  seen: number
  next: Waiter | undefined
}

/** The `receive`s of one process that no message has met yet, oldest first. */
export class Waiters {
  /** Nothing is taken while this is set. */
  held = false
  /** Hears of every message that is taken. */
  onTaken: ((message: unknown) => void) | undefined
  readonly #mailbox: Mailbox
  #first: Waiter | undefined

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox
  }

  /** Whether a `receive` waits. */
  get waiting(): boolean {
    return this.#first !== undefined
  }

  /** The first message that `match` accepts: one that is there, or one that comes within `timeout` milliseconds. */
  wait(match: Match, timeout: number, clock: Clock): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { match, resolve, reject, timer: undefined, seen: 0, next: undefined }
      if (!this.held && this.#serveOne(waiter)) return
      if (timeout <= 0) return reject(nothingCame(timeout))
      this.#append(waiter)
      if (timeout !== Number.POSITIVE_INFINITY) this.#arm(waiter, timeout, clock)
    })
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
      this.#keep((other) => other !== waiter)
      waiter.reject(nothingCame(timeout))
    }, timeout)
  }

  /** Gives waiting `receive`s what has arrived; how many were served. */
  serve(clock: Clock): number {
    if (this.held) return 0
    let served = 0
    this.#keep((waiter) => {
      if (!this.#serveOne(waiter)) return true
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      served++
      return false
    })
    return served
  }

  #keep(stays: (waiter: Waiter) => boolean): void {
    let before: Waiter | undefined
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (stays(waiter)) before = waiter
      else if (before === undefined) this.#first = waiter.next
      else before.next = waiter.next
    }
  }

  /** Positions have moved: every waiter looks at the whole mailbox again. */
  rescan(): void {
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) waiter.seen = 0
  }

  /** No `receive` settles any more, or, with an error, each is rejected with it. */
  clear(clock: Clock, error?: BeamlineError): void {
    this.#keep((waiter) => {
      if (waiter.timer !== undefined) clock.clearTimeout(waiter.timer)
      if (error !== undefined) waiter.reject(error)
      return false
    })
  }

  #serveOne(waiter: Waiter): boolean {
    try {
      const found = this.#mailbox.take(waiter.match, waiter.seen)
      waiter.seen = this.#mailbox.length
      if (found === undefined) return false
      this.rescan()
      if (this.onTaken !== undefined) this.onTaken(found.message)
      waiter.resolve(found.message)
    } catch (error) {
      waiter.reject(error)
    }
    return true
  }
}

function nothingCame(timeout: number): BeamlineError {
  return new BeamlineError('CALL_TIMEOUT', `no matching message came within ${timeout} ms`, { details: { timeout } })
}
