import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Ended processes after which their memory is given back. */
const MANY = 2000
/** Milliseconds without any of them ending: the thread has time. */
const QUIET = 200

/**
 * Gives back the memory of many ended processes. V8 collects when it allocates; a worker thread that falls idle after
 * thousands of processes have died on it would keep what they left for as long as it stays idle.
 */
export class Collector {
  #collect: (() => void) | undefined
  #ended = 0
  #timer: NodeJS.Timeout | undefined

  /** @param collect the collector of this thread's engine, once it is needed, unless told */
  constructor(collect?: () => void) {
    this.#collect = collect
  }

  /** One more process has ended. */
  ended(): void {
    if (++this.#ended < MANY) return
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#quiet(), QUIET).unref()
    else this.#timer.refresh()
  }

  #quiet(): void {
    this.#timer = undefined
    this.#ended = 0
    // The second run gives back the pages that the first has emptied.
    this.#collect ??= garbageCollection()
    this.#collect()
    this.#collect()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** The collector of this thread's engine, without any command line flag of the program. */
function garbageCollection(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
