import type { ChangeMeta } from './change.js'
import type { Watch } from './watch.js'
import type { WatchCallback, WatchOptions } from './watch-options.js'

/** How {@link Changes} begins its watch. */
export type BeginWatch = (
  callback: WatchCallback,
  options: WatchOptions,
  made: (watch: Watch) => void,
) => Promise<Watch>

/** A change, as `for await` sees it. */
export interface WatchedChange<N extends string = string, V = unknown> {
  readonly name: N
  readonly previous: V | undefined
  readonly value: V
  readonly meta: ChangeMeta
}

interface Asking<C> {
  resolve(result: IteratorResult<C, undefined>): void
  reject(error: unknown): void
}

/**
 * The changes of some variables as an async iterator. It watches from the moment it is made; a change that nobody has
 * asked for keeps the watch's callback busy, so that `delivery` and `buffer` mean what they mean for a slow callback.
 */
export class Changes<C extends WatchedChange = WatchedChange> implements AsyncIterableIterator<C, undefined> {
  readonly #watch: Promise<Watch>
  readonly #asking: Asking<C>[] = []
  #offered: { readonly change: C; readonly taken: () => void } | undefined
  #end: { readonly error: unknown } | undefined

  constructor(begin: BeginWatch, options: WatchOptions) {
    const callback: WatchCallback = (name, previous, value, meta) => this.#offer({ name, previous, value, meta } as C)
    // What ends the watch is told by the iterator; errors of a filter still go to the user's onError.
    const quiet = options.onError ?? (() => {})
    this.#watch = begin(callback, { ...options, onError: quiet }, (watch) =>
      watch.onEnd((error) => this.#finish(error)),
    )
    this.#watch.catch((error: unknown) => this.#finish(error))
  }

  #offer(change: C): Promise<void> | undefined {
    const asking = this.#asking.shift()
    if (asking !== undefined) {
      asking.resolve({ done: false, value: change })
      return undefined
    }
    return new Promise((taken) => {
      this.#offered = { change, taken }
    })
  }

  next(): Promise<IteratorResult<C, undefined>> {
    const offered = this.#offered
    if (offered !== undefined) {
      this.#offered = undefined
      offered.taken()
      return Promise.resolve({ done: false, value: offered.change })
    }
    if (this.#end === undefined) return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }))
    const { error } = this.#end
    this.#end = { error: undefined }
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
  }

  #finish(error: unknown): void {
    if (this.#end !== undefined) return
    const [first, ...others] = this.#asking.splice(0)
    this.#end = { error: first === undefined ? error : undefined }
    if (error === undefined) first?.resolve({ done: true, value: undefined })
    else first?.reject(error)
    for (const asking of others) asking.resolve({ done: true, value: undefined })
  }

  async return(): Promise<IteratorResult<C, undefined>> {
    const watch = await this.#watch.catch(() => undefined)
    await watch?.stop()
    this.#offered?.taken()
    this.#offered = undefined
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
