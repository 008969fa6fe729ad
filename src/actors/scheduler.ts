/** Something that has work: at most one piece of it is done at a time. */
export interface Runnable {
  /** Does one piece of work; true when more is left that could be done at once. */
  runOnce(): boolean
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
  #ready: Runnable[] = []
  #next = 0
  #budget = BUDGET
  #wakeup: 'none' | 'microtask' | 'turn' = 'none'
  #turnOver: (() => void)[] = []

  enqueue(runnable: Runnable): void {
    this.#ready.push(runnable)
    this.#wake()
  }

  /** Runs what is ready, now: at the end of a batch of signals. */
  drain(): void {
    while (this.#next < this.#ready.length) {
      if (this.#budget <= 0) return this.#waitForTurn()
      const runnable = this.#ready[this.#next++] as Runnable
      this.#budget--
      if (runnable.runOnce()) this.#ready.push(runnable)
      if (this.#next > BUDGET) this.#compact()
    }
    this.#compact()
  }

  /** Counts work done outside the queue; a promise when the event loop must turn first. */
  admit(): Promise<void> | undefined {
    if (--this.#budget > 0) return undefined
    return new Promise((resolve) => {
      this.#turnOver.push(resolve)
      this.#waitForTurn()
    })
  }

  #wake(): void {
    if (this.#wakeup !== 'none') return
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
      for (const resolve of this.#turnOver.splice(0)) resolve()
      this.drain()
    })
  }

  #compact(): void {
    if (this.#next === this.#ready.length) this.#ready.length = 0
    else this.#ready = this.#ready.slice(this.#next)
    this.#next = 0
  }
}
