import { BeamlineError } from '../../errors.js'
import { realClock } from '../../threads/clock.js'
import type { Pid } from '../../threads/pid.js'
import type { Change } from '../change.js'
import { Delivery } from '../delivery.js'
import type { WatchCallback, WatchOptions } from '../watch-options.js'
import type { Heard, RemoteLine } from './remote-line.js'

/** As `Watch`: a watch of a foreign thread, which goes on until it is stopped, or its context or the door ends. */
export class RemoteWatch implements Heard, AsyncDisposable {
  /** The watched variables. */
  readonly names: readonly string[]
  readonly #line: RemoteLine
  readonly #key: number
  readonly #delivery: Delivery
  readonly #signal: AbortSignal | undefined
  readonly #abort = () => this.#stopUnawaited()
  #begun = false
  /** Whether the system's side has no such watch any more. */
  #gone = false
  #over: Promise<void> | undefined
  #end: { readonly error: unknown } | undefined

  private constructor(line: RemoteLine, names: readonly string[], callback: WatchCallback, options: WatchOptions) {
    this.names = [...names]
    this.#line = line
    this.#signal = options.signal
    this.#delivery = new Delivery(callback, options, {
      clock: realClock,
      isOwnerAlive: () => true,
      overflowed: (error) => {
        this.#ended(error)
        this.#stopUnawaited()
      },
    })
    this.#key = line.listen(this)
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** @internal */
  static async begin(
    line: RemoteLine,
    context: Pid,
    names: readonly string[],
    callback: WatchCallback,
    options: WatchOptions,
  ): Promise<RemoteWatch> {
    const { signal, includeInitial = false, sinceRevision } = options
    signal?.throwIfAborted()
    const watch = new RemoteWatch(line, names, callback, options)
    const start = { includeInitial, ...(sinceRevision !== undefined && { sinceRevision }) }
    try {
      await line.ask({ kind: 'watch', context, watch: watch.#key, names: watch.names, options: start })
    } catch (error) {
      // It may have begun for all that, when the answer was late.
      watch.#stopUnawaited()
      throw error
    }
    signal?.throwIfAborted()
    watch.#begun = true
    if (watch.#end?.error !== undefined) watch.#report(watch.#end.error)
    return watch
  }

  /** `live` until it ends: `failed` when that has a reason which `onError` is told, else `closed`. */
  get state(): 'live' | 'closed' | 'failed' {
    if (this.#end === undefined) return 'live'
    return this.#end.error === undefined ? 'closed' : 'failed'
  }

  /** Ends the watch: once this was called, no callback starts; it resolves when the system's side knows. */
  stop(): Promise<void> {
    this.#over ??= this.#stop()
    return this.#over
  }

  async #stop(): Promise<void> {
    this.closed()
    this.#line.forget(this.#key)
    if (!this.#gone && this.#line.isOpen) await this.#line.ask({ kind: 'unwatch', watch: this.#key })
  }

  #stopUnawaited(): void {
    this.stop().catch((error: unknown) => this.#delivery.report(error))
  }

  /** @internal */
  changed(change: Change): void {
    try {
      this.#delivery.offer(change)
    } catch (error) {
      this.#delivery.report(error)
    }
  }

  /** @internal What came before the end is told before it. */
  ended(error: unknown): void {
    this.#gone = true
    this.#delivery.finish(() => this.#ended(error))
  }

  /** @internal */
  closed(): void {
    this.#delivery.close()
    this.#ended(undefined)
  }

  #ended(error: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    this.#signal?.removeEventListener('abort', this.#abort)
    // Of a watch that has not begun its caller hears by the rejection, unless it does begin.
    if (this.#begun && error !== undefined) this.#report(error)
  }

  #report(error: unknown): void {
    if (error instanceof BeamlineError) this.#delivery.reportEnd(error)
    else this.#delivery.report(error)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
