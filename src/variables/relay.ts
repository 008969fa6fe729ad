import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { describe } from '../actors/exit-reason.js'
import { Deferred, type Down, isDown } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Delivery } from './delivery.js'
import { managerName } from './observer-actor.js'
import type { ManagerMessage, ManagerRequest, RelayMessage } from './requests.js'

/** A watch as its thread's relay sees it. */
export interface RelayedWatch {
  readonly ref: Ref
  readonly owner: Pid
  /** The context, whose death ends the watch; undefined for an observer that was added by hand. */
  readonly context: Pid | undefined
  readonly delivery: Delivery
  /** The watch is over: by its owner's death (no error), or for a reason its owner should hear. */
  ended(error?: BeamlineError): void
}

const service = Symbol('beamline.relay')
const relayActor = behaviour<Relay>((self, relay) => relay.attach(self))

/**
 * The watches of one thread. Every manager sends one record for each change; the relay calls the watches on this thread
 * that want it. Changes and the beginnings of watches come to it in one order, so that none is missed or repeated.
 */
export class Relay implements Behaviour {
  readonly pid: Pid
  /** The time of this thread. */
  readonly clock: Clock
  /** By reference: each watch, and the variables it is known to watch. */
  readonly #watches = new Map<string, { readonly watch: RelayedWatch; ids: readonly string[] }>()
  readonly #byVariable = new Map<string, Set<RelayedWatch>>()
  /** By pid: the owners and contexts of watches, whose deaths matter. */
  readonly #concerned = new Map<
    string,
    { readonly pid: Pid; monitor: Ref | undefined; readonly watches: Set<RelayedWatch> }
  >()
  #self: Process | undefined

  private constructor(owner: Process) {
    const host = Process.hostOf(owner)
    this.clock = host.clock
    this.pid = host.hire(relayActor, this, 'WatchRelay')
    host.fence = this.pid
  }

  /** The relay of the thread that `process` lives on. */
  static of(process: Process): Relay {
    return Process.hostOf(process).service(service, () => new Relay(process))
  }

  attach(self: Process): Behaviour {
    this.#self = self
    self.signal.addEventListener('abort', () => this.#stopped())
    for (const concern of this.#concerned.values()) concern.monitor = self.monitor(concern.pid)
    return this
  }

  /** From now on the relay takes what comes for `watch`. */
  add(watch: RelayedWatch): void {
    this.#watches.set(watch.ref.toString(), { watch, ids: [] })
    for (const pid of [watch.owner, watch.context]) {
      if (pid === undefined) continue
      const key = pid.toString()
      const concern = this.#concerned.get(key)
      if (concern !== undefined) concern.watches.add(watch)
      else this.#concerned.set(key, { pid, monitor: this.#self?.monitor(pid), watches: new Set([watch]) })
    }
  }

  remove(watch: RelayedWatch): void {
    this.#forget(watch)
    watch.delivery.close()
  }

  #forget(watch: RelayedWatch): void {
    const entry = this.#watches.get(watch.ref.toString())
    if (entry === undefined) return
    this.#watches.delete(watch.ref.toString())
    for (const id of entry.ids) {
      const watches = this.#byVariable.get(id)
      if (watches?.delete(watch) && watches.size === 0) this.#byVariable.delete(id)
    }
    for (const pid of [watch.owner, watch.context]) {
      const concern = pid && this.#concerned.get(pid.toString())
      if (pid === undefined || !concern?.watches.delete(watch) || concern.watches.size > 0) continue
      if (concern.monitor !== undefined) this.#self?.demonitor(concern.monitor, { flush: true })
      this.#concerned.delete(pid.toString())
    }
  }

  handle(message: unknown): void {
    if (message instanceof Deferred) message.run()
    else if (isDown(message)) this.#down(message)
    else this.#relay(message as RelayMessage)
  }

  #relay(message: RelayMessage): void {
    if (message.kind === 'changes') return this.#changes(message)
    const entry = this.#watches.get(message.ref.toString())
    if (message.kind === 'removed') return entry && this.#removed(entry.watch)
    // Whoever asked for the watch has given up meanwhile: the request took too long.
    if (entry === undefined)
      return this.#self?.send(message.manager, { kind: 'forget', ref: message.ref } satisfies ManagerMessage)
    const { watch } = entry
    entry.ids = message.ids
    for (const id of message.ids) {
      const watches = this.#byVariable.get(id)
      if (watches === undefined) this.#byVariable.set(id, new Set([watch]))
      else watches.add(watch)
    }
    for (const change of message.begin) watch.delivery.offer(change)
  }

  #changes({ changes }: RelayMessage & { kind: 'changes' }): void {
    for (const change of changes) {
      const watches = this.#byVariable.get(change.id)
      if (watches === undefined) continue
      for (const watch of watches) watch.delivery.offer(change)
      if (change.meta.deleted) this.#byVariable.delete(change.id)
    }
  }

  #removed(watch: RelayedWatch): void {
    this.remove(watch)
    watch.ended()
  }

  #down({ pid, reason }: Down): void {
    const watches = [...(this.#concerned.get(pid.toString())?.watches ?? [])]
    const orphans = watches.filter(({ context }) => context?.equals(pid))
    for (const watch of watches) if (watch.owner.equals(pid)) this.#removed(watch)
    if (orphans.length > 0) void this.#orphaned(orphans, pid as Pid, describe(reason))
  }

  /** The context's last commits may still be with its manager: they come before the end of its watches. */
  async #orphaned(watches: readonly RelayedWatch[], context: Pid, why: string): Promise<void> {
    const manager = this.#self?.system.whereis(managerName(context.thread))
    const request: ManagerRequest = { kind: 'fence' }
    // A manager that has died has nothing left to say.
    await (manager && this.#self?.call(manager, request, { timeout: Number.POSITIVE_INFINITY }).catch(() => {}))
    const error = new BeamlineError('UNAVAILABLE', `the watch ended, as its context did: ${why}`)
    for (const watch of watches) this.#end(watch, error)
  }

  /** What was committed before the end is told before it. */
  #end(watch: RelayedWatch, error: BeamlineError): void {
    this.#forget(watch)
    watch.delivery.finish(() => watch.ended(error))
  }

  /** The relay ends with its thread's host: nothing comes any more. */
  #stopped(): void {
    const error = new BeamlineError('STOPPED', 'the watch ended, as the system has been stopped')
    for (const { watch } of [...this.#watches.values()]) this.#end(watch, error)
  }
}
