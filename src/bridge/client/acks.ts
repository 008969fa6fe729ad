import type { Clock, Timer } from '../../threads/clock.js'
import { encoded } from './items.js'

/** Events that the server may send of one watch before it hears of them. */
const CREDIT = 16_384
/** Milliseconds in which it hears of them. */
const DELAY = 50
/** Answers after which the server may forget them at once. */
const REPLIES = 1024

/** What a watch has taken in of its credit. */
export class Credit {
  readonly watchId: number
  readonly limit: number
  used = 0
  through = 0

  constructor(watchId: number, maxCredit: number) {
    this.watchId = watchId
    this.limit = maxCredit > 0 ? Math.min(CREDIT, maxCredit) : CREDIT
  }
}

/** Tells the server what has arrived: soon, and sooner where half of a credit is used. */
export class Acks {
  readonly #clock: Clock
  readonly #send: (item: Uint8Array) => void
  readonly #repliesSeen: () => number
  readonly #due = new Set<Credit>()
  #replies = 0
  #timer: Timer | undefined

  constructor(clock: Clock, send: (item: Uint8Array) => void, repliesSeen: () => number) {
    this.#clock = clock
    this.#send = send
    this.#repliesSeen = repliesSeen
  }

  used(credit: Credit, count: number, through: number): void {
    credit.used += count
    credit.through = through
    this.#due.add(credit)
    if (credit.used * 2 >= credit.limit) this.#flush()
    else this.#soon()
  }

  replied(): void {
    if (++this.#replies >= REPLIES) this.#flush()
    else this.#soon()
  }

  forget(credit: Credit): void {
    this.#due.delete(credit)
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due.clear()
    this.#replies = 0
  }

  #soon(): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#flush()
    }, DELAY)
  }

  #flush(): void {
    if (this.#due.size === 0 && this.#replies === 0) return
    const watches = Array.from(this.#due, ({ watchId, through, used }) => ({ watchId, through, credit: used }))
    for (const credit of this.#due) credit.used = 0
    this.#due.clear()
    this.#replies = 0
    this.#send(encoded({ $case: 'ack', value: { watches, repliesSeen: this.#repliesSeen() } }))
  }
}
