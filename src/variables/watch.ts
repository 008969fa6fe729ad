import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import { Delivery } from './delivery.js'
import { Relay } from './relay.js'
import type { RelayedWatch } from './relayed-watch.js'
import type { ManagerRequest } from './requests.js'
import type { WatchCallback, WatchOptions } from './watch-options.js'
import type { Whereabouts } from './whereabouts.js'

/** What begins a watch, and who knows of it. */
export interface WatchStart {
  readonly owner: Process
  readonly context: Pid | undefined
  readonly callback: WatchCallback
  readonly options: WatchOptions
  /** Asks for the watch; answers with the observer manager that now knows it. */
  readonly begin: (ref: Ref, relay: Pid) => Promise<Pid>
  /** Where the state of the context lives. */
  readonly where?: () => Whereabouts | undefined
}

/** A watch that goes on until it is stopped, its owner dies, or its context does. */
export class Watch implements AsyncDisposable {
  readonly ref: Ref
  /** The watched variables. */
  readonly names: readonly string[]
  readonly #start: WatchStart
  readonly #relay: Relay
  readonly #relayed: RelayedWatch
  readonly #onEnd = new Set<(error: BeamlineError | undefined) => void>()
  /** The observer manager that knows the watch, once it has begun. */
  #manager: Promise<Pid> | undefined
  #begun = false
  #over: Promise<void> | undefined
  #end: { readonly error: BeamlineError | undefined } | undefined

  private constructor(names: readonly string[], start: WatchStart) {
    const { owner, context, callback, options } = start
    this.names = [...names]
    this.#start = start
    this.ref = owner.ref()
    this.#relay = Relay.of(owner)
    // The code of a shell runs on when its system has been stopped.
    const isShell = Process.hostOf(owner).cell(owner.pid)?.birth.shell === true
    const delivery = new Delivery(callback, options, {
      clock: this.#relay.clock,
      isOwnerAlive: () => isShell || Process.cellOf(owner).alive,
      overflowed: (error) => {
        this.#relayed.ended(error)
        this.#stopUnawaited()
      },
    })
    const ended = (error?: BeamlineError) => this.#ended(error)
    const moved = (manager: Pid) => {
      this.#manager = Promise.resolve(manager)
    }
    this.#relayed = { ref: this.ref, owner: owner.pid, isShell, context, delivery, moved, ended }
  }

  /** @internal Begins a watch; what is asked of the context after this call comes after it there, too. */
  static async begin(names: readonly string[], start: WatchStart, made?: (watch: Watch) => void): Promise<Watch> {
    const { signal } = start.options
    signal?.throwIfAborted()
    const watch = new Watch(names, start)
    watch.#relay.add(watch.#relayed)
    made?.(watch)
    const abort = () => watch.#stopUnawaited()
    signal?.addEventListener('abort', abort, { once: true })
    watch.#onEnd.add(() => signal?.removeEventListener('abort', abort))
    try {
      watch.#manager = start.begin(watch.ref, watch.#relay.pid)
      await watch.#manager
    } catch (error) {
      signal?.removeEventListener('abort', abort)
      watch.#relay.abandon(watch.#relayed)
      throw error
    }
    signal?.throwIfAborted()
    watch.#begun = true
    if (watch.#end?.error !== undefined) watch.#report(watch.#end.error)
    return watch
  }

  /**
   * `live` until it ends: `failed` when that has a reason which `onError` is told, else `closed`. `stale` while the bridge
   * on whose other side the context lives has no proof that the server is alive.
   */
  get state(): 'live' | 'stale' | 'closed' | 'failed' {
    if (this.#end !== undefined) return this.#end.error === undefined ? 'closed' : 'failed'
    return this.#start.where?.()?.link === 'stale' ? 'stale' : 'live'
  }

  /** How many revisions of the context's session have not come here, as far as is known; 0 without a bridge. */
  get lag(): number {
    return this.#start.where?.()?.lag ?? 0
  }

  /** Milliseconds since 1970 of the last proof that the other side of the bridge is alive; of now without a bridge. */
  get lastProofOfLife(): number {
    const where = this.#start.where?.()
    return where === undefined || where.link === 'local' ? Date.now() : where.proofOfLife
  }

  /** Ends the watch: once this was called, no callback starts; it resolves when the context knows. */
  stop(): Promise<void> {
    this.#over ??= this.#stop()
    return this.#over
  }

  #stopUnawaited(): void {
    this.stop().catch((error: unknown) => this.#relayed.delivery.report(error))
  }

  async #stop(): Promise<void> {
    this.#relay.remove(this.#relayed)
    this.#ended()
    await this.#forget()
  }

  async #forget(): Promise<void> {
    const manager = await this.#manager?.catch(() => undefined)
    if (manager === undefined) return
    try {
      await this.#start.owner.call(manager, { kind: 'remove', ref: this.ref } satisfies ManagerRequest)
    } catch (error) {
      // A manager that has gone knows no watches.
      if (!(error instanceof BeamlineError && (error.code === 'NOPROC' || error.code === 'STOPPED'))) throw error
    }
  }

  /** @internal Hears once of the end, whoever brought it about; at once when it has been. */
  onEnd(listener: (error: BeamlineError | undefined) => void): void {
    if (this.#end === undefined) this.#onEnd.add(listener)
    else listener(this.#end.error)
  }

  #ended(error?: BeamlineError): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    // Of a watch that has not begun its caller hears by the rejection, unless it does begin.
    if (this.#begun && error !== undefined) this.#report(error)
    for (const listener of this.#onEnd) listener(error)
    this.#onEnd.clear()
  }

  #report(error: BeamlineError): void {
    this.#relayed.delivery.reportEnd(error)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
