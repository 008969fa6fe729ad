/** Something that has work: at most one piece of it is done at a time. */
export interface Runnable {
  /** Does one piece of work; true when more is left that could be done at once. */
  runOnce(): boolean
  /** @internal What is behind it in the queue: null when it is the last, undefined when it is not queued. */
  next?: Runnable | null | undefined
}

/** Pieces of work after which the event loop gets a turn, so that processes that never rest starve no timer. */
const BUDGET = 2048

/** For microtasks: a `then` of it costs a third of what Node's `queueMicrotask` does. */
const now = Promise.resolve()

/**
 * The run queue of one thread. Work starts after the code that caused it has run (in a microtask), and in the order in
 * which it became ready.
 */
export class Scheduler {
  #first: Runnable | null = null
  #last: Runnable | null = null
  #budget = BUDGET
  #wakeup: 'none' | 'microtask' | 'turn' = 'none'
  #postponed: (() => void)[] = []

  /** Harmless for what is in the queue already. */
  enqueue(runnable: Runnable): void {
    if (runnable.next !== undefined) return
    runnable.next = null
    if (this.#last === null) this.#first = runnable
    else this.#last.next = runnable
    this.#last = runnable
    if (this.#wakeup === 'none') this.#wake()
  }

  /** Runs what is ready, now: at the end of a batch of signals. */
  drain(): void {
    for (let runnable = this.#first; runnable !== null; runnable = this.#first) {
      if (this.#budget <= 0) return this.#waitForTurn()
      this.#first = runnable.next ?? null
      if (this.#first === null) this.#last = null
      runnable.next = undefined
      this.#budget--
      if (runnable.runOnce()) this.enqueue(runnable)
    }
  }

  /** Counts work done outside the queue; false when the event loop must turn first. */
  admits(): boolean {
    return --this.#budget > 0
  }

  /** Does work that was not admitted once the event loop has turned. */
  postpone(work: () => void): void {
    this.#postponed.push(work)
    this.#waitForTurn()
  }

  #wake(): void {
    this.#wakeup = 'microtask'
    void now.then(this.#wakened)
  }

  readonly #wakened = (): void => {
    if (this.#wakeup === 'microtask') this.#wakeup = 'none'
    this.drain()
  }

  #waitForTurn(): void {
    if (this.#wakeup === 'turn') return
    this.#wakeup = 'turn'
    setImmediate(() => {
      this.#wakeup = 'none'
      this.#budget = BUDGET
      for (const work of this.#postponed.splice(0)) work()
      this.drain()
    })
  }
}
