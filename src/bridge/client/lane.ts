import type { Errand } from './outbox.js'

/** Of those that have gone so many may still be held. */
const LOITERERS = 1024

interface Waiter {
  readonly errand: Errand
  readonly bytes: number
}

/** The commands of one session that wait, and whether they may be sent. */
export class Lane {
  open = false
  /** For how many answers the others wait. */
  fences = 0
  /** About how much those that wait take. */
  bytes = 0
  #queue: Waiter[] = []
  /** How many of the queue have gone. */
  #gone = 0

  get length(): number {
    return this.#queue.length - this.#gone
  }

  /** How many are still kept, also of those that have gone. */
  get held(): number {
    return this.#queue.length
  }

  get isFree(): boolean {
    return this.open && this.fences === 0
  }

  push(errand: Errand, bytes: number): void {
    this.bytes += bytes
    this.#queue.push({ errand, bytes })
  }

  shift(): Waiter {
    const first = this.#queue[this.#gone++] as Waiter
    this.bytes -= first.bytes
    // Also a queue that never becomes empty lets go of what has gone.
    if (this.#gone === this.#queue.length || (this.#gone > LOITERERS && 2 * this.#gone > this.#queue.length)) {
      this.#queue = this.#queue.slice(this.#gone)
      this.#gone = 0
    }
    return first
  }

  takeAll(): Errand[] {
    const left = this.#queue.slice(this.#gone).map(({ errand }) => errand)
    this.#queue = []
    this.#gone = 0
    this.bytes = 0
    return left
  }
}
