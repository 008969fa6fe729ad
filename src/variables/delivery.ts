import { BeamlineError, shown } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import type { Change } from './change.js'
import { Debounce, merge, type Pacer, Throttle } from './pacer.js'
import type { Lost } from './requests.js'
import { sameValue } from './types/same-value.js'
import type { WatchCallback, WatchOptions } from './watch-options.js'

/** Changes that wait for a busy callback. */
interface Waiting {
  readonly size: number
  push(change: Change): void
  shift(): Change | undefined
  clear(): void
}

class EveryChange implements Waiting {
  #changes: Change[] = []
  #head = 0

  get size(): number {
    return this.#changes.length - this.#head
  }

  push(change: Change): void {
    this.#changes.push(change)
  }

  shift(): Change | undefined {
    if (this.#head === this.#changes.length) return undefined
    const change = this.#changes[this.#head++]
    if (this.#head < this.#changes.length) return change
    this.clear()
    return change
  }

  clear(): void {
    this.#changes = []
    this.#head = 0
  }
}

/** Only the latest of each variable waits; one of the same name that comes after a deletion is another. */
class LatestChanges implements Waiting {
  readonly #changes = new Map<string, Change>()

  get size(): number {
    return this.#changes.size
  }

  push(change: Change): void {
    const earlier = this.#changes.get(change.id)
    this.#changes.delete(change.id)
    this.#changes.set(change.id, earlier === undefined ? change : merge(earlier, change))
  }

  shift(): Change | undefined {
    const first = this.#changes.entries().next()
    if (first.done) return undefined
    this.#changes.delete(first.value[0])
    return first.value[1]
  }

  clear(): void {
    this.#changes.clear()
  }
}

/** What a delivery needs to know of the watch it belongs to. */
export interface Surroundings {
  readonly clock: Clock
  isOwnerAlive(): boolean
  /** The callback is too slow for its buffer. */
  overflowed(error: BeamlineError): void
}

const DEFAULT_BUFFER = 65_536

/** The way of changes to one watch's callback: filter, distinct, pace, wait, call; each in its order, one at a time. */
export class Delivery {
  readonly #callback: WatchCallback
  readonly #options: WatchOptions
  readonly #surroundings: Surroundings
  readonly #pacer: Pacer | undefined
  readonly #waiting: Waiting
  #busy = false
  #closed = false
  /** What is to be done once nothing waits any more. */
  #last: (() => void) | undefined

  constructor(callback: WatchCallback, options: WatchOptions, surroundings: Surroundings) {
    const { clock } = surroundings
    this.#callback = callback
    this.#options = options
    this.#surroundings = surroundings
    const { debounce, throttle, delivery } = options
    const emit = (change: Change) => this.#queue(change)
    if (debounce !== undefined) this.#pacer = new Debounce(clock, debounce, emit)
    else if (throttle !== undefined) this.#pacer = new Throttle(clock, throttle, emit)
    this.#waiting = delivery === 'latest' ? new LatestChanges() : new EveryChange()
  }

  offer(change: Change): void {
    if (this.#closed) return
    const { initial, deleted } = change.meta
    // The filter may have stopped the watch.
    if (!deleted && (!this.#wanted(change) || this.#closed)) return
    if (this.#pacer !== undefined && !initial && !deleted) return this.#pacer.offer(change)
    if (deleted) this.#pacer?.flush(change.name)
    this.#queue(change)
  }

  #wanted({ previous, value, meta }: Change): boolean {
    try {
      if (this.#options.distinct && !meta.initial && sameValue(previous, value)) return false
      return this.#options.filter === undefined || this.#options.filter(previous, value)
    } catch (error) {
      this.report(error)
      return false
    }
  }

  #queue(change: Change): void {
    // Where many are let go at once, an earlier one of them may have closed the delivery.
    if (this.#closed) return
    if (this.#busy) {
      const limit = this.#options.buffer ?? DEFAULT_BUFFER
      if (this.#waiting.size < limit || this.#options.delivery === 'latest') return this.#waiting.push(change)
      const text = `${limit} changes wait for the callback: make it faster, raise buffer, or use delivery: 'latest'`
      return this.#surroundings.overflowed(new BeamlineError('OVERFLOW', `the watch of ${change.name} ended: ${text}`))
    }
    this.#call(change)
  }

  /** Calls for `change`, then for what has come to wait meanwhile. */
  #call(first: Change): void {
    this.#busy = true
    for (let change: Change | undefined = first; change !== undefined; change = this.#waiting.shift()) {
      if (this.#closed || !this.#surroundings.isOwnerAlive()) break
      const pending = this.#attempt(change)
      if (pending !== undefined) return void this.#resumeAfter(pending)
    }
    this.#rest()
  }

  async #resumeAfter(pending: Promise<unknown>): Promise<void> {
    try {
      await pending
    } catch (error) {
      this.report(error)
    } finally {
      this.#resume()
    }
  }

  #resume(): void {
    const next = this.#closed ? undefined : this.#waiting.shift()
    if (next === undefined) this.#rest()
    else this.#call(next)
  }

  #rest(): void {
    this.#busy = false
    this.#last?.()
  }

  /** Nothing more comes: what is held back or waits is told, then `last` is done, unless the delivery is closed before. */
  finish(last: () => void): void {
    if (this.#closed) return
    this.#pacer?.flush()
    // What was held back may have been too much for the buffer, which has ended the watch already.
    if (this.#closed) return
    this.#last = () => {
      this.close()
      if (this.#surroundings.isOwnerAlive()) last()
    }
    if (!this.#busy) this.#last()
  }

  #attempt({ name, previous, value, meta }: Change): Promise<unknown> | undefined {
    try {
      const result = this.#callback(name, previous, value, meta)
      return result instanceof Promise ? result : undefined
    } catch (error) {
      this.report(error)
      return undefined
    }
  }

  /** Errors of callbacks harm nobody: they are told to `onError`, or warned of. */
  report(error: unknown): void {
    const { onError } = this.#options
    if (onError === undefined) return warn(error)
    try {
      onError(error)
    } catch (inOnError) {
      warn(inOnError)
    }
  }

  /** Some changes cannot be told: what makes up for them follows, after what is held back. */
  resync(lost: Lost): void {
    this.#pacer?.flush()
    if (this.#closed) return
    try {
      this.#options.onResync?.(lost)
    } catch (error) {
      this.report(error)
    }
  }

  /** The watch is over for a reason its owner should hear; whoever ended it in good order knows without a warning. */
  reportEnd(error: BeamlineError): void {
    if (this.#options.onError !== undefined) this.report(error)
    else if (!isOrderly(error)) process.emitWarning(error.message, { code: 'BEAMLINE_WATCH' })
  }

  /** No callback starts any more. */
  close(): void {
    this.#closed = true
    this.#last = undefined
    this.#pacer?.close()
    this.#waiting.clear()
  }
}

/** Whether the system was stopped, or the context by one who asked it to end. */
function isOrderly({ code, details: { reason } }: BeamlineError): boolean {
  if (code === 'STOPPED' || reason === 'normal' || reason === 'shutdown') return true
  return typeof reason === 'object' && reason !== null && 'shutdown' in reason
}

function warn(error: unknown): void {
  process.emitWarning(`a watch callback failed: ${wordsOf(error)}`, { code: 'BEAMLINE_WATCH' })
}

/** A callback may throw anything, and what it threw may throw when it is read. */
function wordsOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.stack === 'string') return error.stack
  } catch {
    // Its parts are out of reach: what can be shown of it has to do.
  }
  return shown(error)
}
