import type { Timer } from '../threads/clock.js'

/** Whether a message is the one that is waited for; without one, every message is. */
export type Match = ((message: unknown) => boolean) | undefined

/** A `receive` that waits. */
export class Waiter {
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

/** The `receive`s of one process that no message has met yet, oldest first. */
export class Waiters {
  first: Waiter | undefined
  /** Hears of every message that is taken. */
  onTaken: ((message: unknown) => void) | undefined

  append(waiter: Waiter): void {
    let last = this.first
    if (last === undefined) {
      this.first = waiter
      return
    }
    while (last.next !== undefined) last = last.next
    last.next = waiter
  }

  remove(waiter: Waiter): void {
    if (this.first === waiter) {
      this.first = waiter.next
      return
    }
    for (let before = this.first; before !== undefined; before = before.next) {
      if (before.next !== waiter) continue
      before.next = waiter.next
      return
    }
  }

  /** Positions have moved: every waiter looks at the whole mailbox again. */
  rescan(): void {
    for (let waiter = this.first; waiter !== undefined; waiter = waiter.next) waiter.seen = 0
  }
}
