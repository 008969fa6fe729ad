/** When a run is over: its time is up, somebody interrupts it, or nobody reads what it prints. */
export class Ending implements Disposable {
  readonly #over = new AbortController()
  readonly #seconds: number
  #timer: NodeJS.Timeout | undefined
  #interrupted = Number.POSITIVE_INFINITY

  /** @param seconds `Infinity` for no end by itself */
  constructor(seconds: number) {
    this.#seconds = seconds
    process.on('SIGINT', this.#interrupt)
    process.on('SIGTERM', this.#interrupt)
    process.stdout.on('error', this.#unread)
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Everything is in place: from now on the time counts. */
  start(): void {
    if (Number.isFinite(this.#seconds)) this.#timer = setTimeout(() => this.#over.abort(), 1000 * this.#seconds)
  }

  /** Ctrl-C may come twice at once, from the terminal and from npm; only one that comes later will not wait. */
  readonly #interrupt = () => {
    if (performance.now() - this.#interrupted > 500) process.exit(130)
    this.#interrupted = Math.min(this.#interrupted, performance.now())
    this.#over.abort()
  }

  /** The reader has gone, as `head` does when it has seen enough: that is no failure. */
  readonly #unread = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    this.#over.abort()
  };

  /** What is printed from now on may still be unread, so that one listener stays. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    process.off('SIGINT', this.#interrupt)
    process.off('SIGTERM', this.#interrupt)
  }
}
