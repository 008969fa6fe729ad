import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { describe, type ExitReason } from '../actors/exit-reason.js'
import { Deferred, type Down, isDown, KeptWire } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import type { Change } from './change.js'
import { managerName } from './observer-actor.js'
import { type Entry, isNews, offer, type RelayedWatch } from './relayed-watch.js'
import type { ContextMessage, ManagerMessage, ManagerRequest, RelayMessage } from './requests.js'
import { isRelayMessage } from './shape.js'
import { type Subject, Subjects } from './subjects.js'
import { Succession } from './succession.js'
import { CHANGED } from './wire-ops.js'

/** A process whose death matters to some watches. */
interface Concern {
  readonly pid: Pid
  monitor: Ref | undefined
  readonly watches: Set<RelayedWatch>
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
  /** By reference. */
  readonly #watches = new Map<string, Entry>()
  readonly #subjects = new Subjects()
  /** By pid: owners and contexts of watches, and the managers of those that have no context. */
  readonly #concerned = new Map<string, Concern>()
  #succession!: Succession
  #self!: Process

  private constructor(owner: Process) {
    const host = Process.hostOf(owner)
    this.clock = host.clock
    this.pid = host.hire(relayActor, this, 'WatchRelay')
    host.fence = this.pid
  }

  /** The relay of the thread that `process` lives on; a fresh one when somebody has killed the last. */
  static of(process: Process): Relay {
    const place = Process.hostOf(process).service<{ relay?: Relay }>(service, () => ({}))
    if (place.relay === undefined || Process.hostOf(process).cell(place.relay.pid) === undefined)
      place.relay = new Relay(process)
    return place.relay
  }

  attach(self: Process): Behaviour {
    this.#self = self
    this.#succession = new Succession(self, (context, next) => this.#follow(context, next))
    // Not at once: what the watches' owners do when they hear of it must not come between this death and the answers
    // that wait in the mailbox.
    self.signal.addEventListener('abort', () => queueMicrotask(() => this.#stopped(self.signal.reason as ExitReason)))
    return this
  }

  /** From now on the relay takes what comes for `watch`. */
  add(watch: RelayedWatch): void {
    this.#watches.set(watch.ref.toString(), { watch, context: watch.context, subjects: new Set() })
    this.#concern(watch.owner, watch)
    if (watch.context !== undefined) this.#concern(watch.context, watch)
  }

  #concern(pid: Pid, watch: RelayedWatch): void {
    const key = pid.toString()
    const concern = this.#concerned.get(key)
    if (concern !== undefined) concern.watches.add(watch)
    else this.#concerned.set(key, { pid, monitor: this.#self.monitor(pid), watches: new Set([watch]) })
  }

  remove(watch: RelayedWatch): void {
    this.#forget(watch)
    watch.delivery.close()
  }

  /** Whoever asked for `watch` has given up, and its manager may know it already. */
  abandon(watch: RelayedWatch): void {
    const manager = this.#watches.get(watch.ref.toString())?.manager
    this.remove(watch)
    if (manager !== undefined) this.#disown(manager, watch.ref)
  }

  #disown(manager: Pid, ref: Ref): void {
    this.#self.send(manager, { kind: 'forget', ref } satisfies ManagerMessage)
  }

  #forget(watch: RelayedWatch): void {
    const entry = this.#watches.get(watch.ref.toString())
    if (entry === undefined) return
    this.#watches.delete(watch.ref.toString())
    for (const subject of [...entry.subjects]) this.#subjects.leave(entry, subject)
    for (const pid of [watch.owner, entry.context, entry.manager]) {
      if (pid !== undefined) this.#leave(pid, watch)
    }
  }

  /** The death of a process no longer matters to a watch. */
  #leave(pid: Pid, watch: RelayedWatch): void {
    const concern = this.#concerned.get(pid.toString())
    if (!concern?.watches.delete(watch) || concern.watches.size > 0) return
    if (concern.monitor !== undefined) this.#self.demonitor(concern.monitor, { flush: true })
    this.#concerned.delete(pid.toString())
  }

  handle(message: unknown): void {
    if (message instanceof Deferred) message.run()
    else if (message instanceof KeptWire) this.takeWire(message.wire)
    else if (isDown(message)) this.#down(message)
    // Anyone may send to this pid: what no manager would say is nobody's.
    else if (isRelayMessage(message)) this.#relay(message)
  }

  takeWire({ op, thread, subject: number, previous, value, revision, version, timestamp }: Wire): void {
    const subject = op === CHANGED ? this.#subjects.numbered(thread, number) : undefined
    if (subject === undefined) return
    const meta = { source: 'local', initial: false, resync: false, revision, version, timestamp }
    const change = { id: subject.id, name: subject.name, previous, value, meta }
    for (const entry of subject.entries) {
      if (!isNews(entry, revision)) continue
      entry.seen = revision
      offer(entry.watch, change)
    }
  }

  #relay(message: RelayMessage): void {
    if (message.kind === 'changes') {
      for (const change of message.changes) this.#change(change)
      for (const change of message.changes) this.#seen(change)
      return
    }
    if (message.kind === 'resync') return this.#resync(message)
    const entry = this.#watches.get(message.ref.toString())
    if (message.kind === 'removed') return entry && this.#removed(entry.watch)
    if (entry === undefined) return this.#disown(message.manager, message.ref)
    this.#begin(entry, message)
  }

  #begin(entry: Entry, { manager, variables, begin, revision, lost }: RelayMessage & { kind: 'watching' }): void {
    if (entry.manager !== undefined) return
    entry.manager = manager
    if (entry.watch.context === undefined) this.#concern(manager, entry.watch)
    const isNew = entry.seen === undefined
    for (const variable of variables)
      if (isNew || this.#has(entry, variable.id)) this.#subjects.enter(entry, variable, manager)
    if (!isNew) entry.watch.moved(manager)
    entry.seen = revision
    if (lost !== undefined) entry.watch.delivery.resync(lost)
    if (isNew) for (const change of begin) offer(entry.watch, change)
    else this.#resume(entry, new Set(variables.map(({ id }) => id)), begin)
  }

  #has(entry: Entry, id: string): boolean {
    const subject = this.#subjects.get(id)
    return subject !== undefined && entry.subjects.has(subject)
  }

  /** What the watch missed while its context was being started again, the ends of variables among it. */
  #resume(entry: Entry, ids: ReadonlySet<string>, missed: readonly Change[]): void {
    for (const change of missed) if (this.#has(entry, change.id)) offer(entry.watch, change)
    for (const subject of [...entry.subjects]) if (!ids.has(subject.id)) this.#gone(entry, subject)
  }

  /** The context has become another state; the revisions that follow may be lower than those before. */
  #resync({ context, changes, revision, lost }: RelayMessage & { kind: 'resync' }): void {
    for (const entry of [...this.#watches.values()]) {
      if (!entry.context?.equals(context) || entry.manager === undefined) continue
      entry.seen = revision
      entry.watch.delivery.resync(lost)
      for (const change of changes) {
        const subject = this.#subjects.get(change.id)
        if (subject === undefined || !entry.subjects.has(subject)) continue
        offer(entry.watch, change)
        if (change.meta.deleted) this.#gone(entry, subject)
      }
    }
  }

  #change(change: Change): void {
    const subject = this.#subjects.get(change.id)
    if (subject === undefined) return
    for (const entry of subject.entries) if (isNews(entry, change.meta.revision)) offer(entry.watch, change)
    if (!change.meta.deleted) return
    for (const entry of [...subject.entries]) if (isNews(entry, change.meta.revision)) this.#gone(entry, subject)
  }

  /** After all changes of a commit. */
  #seen({ id, meta: { revision } }: Change): void {
    for (const entry of this.#subjects.get(id)?.entries ?? [])
      if (entry.manager !== undefined && revision > (entry.seen ?? 0)) entry.seen = revision
  }

  /** A variable is gone for good; with its last one, a watch is over. */
  #gone(entry: Entry, subject: Subject): void {
    this.#subjects.leave(entry, subject)
    if (entry.subjects.size === 0) this.#end(entry.watch)
  }

  #removed(watch: RelayedWatch): void {
    this.remove(watch)
    watch.ended()
  }

  #widowed(watch: RelayedWatch, reason: ExitReason): void {
    if (!watch.isShell) return this.#removed(watch)
    const text = `the watch ended, as the shell process that owned it did: ${describe(reason)}`
    this.#end(watch, new BeamlineError('NOPROC', text, { details: { reason } }))
  }

  #down({ pid, ref, reason }: Down): void {
    if (this.#succession.heard(ref)) return
    const concern = this.#concerned.get(String(pid))
    if (concern === undefined || concern.monitor?.equals(ref) !== true) return
    const watches = [...concern.watches]
    for (const watch of watches) if (watch.owner.equals(pid)) this.#widowed(watch, reason)
    const orphans = watches.filter(({ owner }) => !owner.equals(pid))
    if (orphans.length > 0) void this.#orphaned(orphans, concern.pid, reason)
  }

  /**
   * Watches whose context is gone. If only its thread died, they go on; else the context's last commits may still be with
   * its manager: they come before the end of its watches.
   */
  async #orphaned(watches: readonly RelayedWatch[], source: Pid, reason: ExitReason): Promise<void> {
    try {
      if ((await this.successor(source)) !== undefined) return
    } catch {
      // The relay itself is at its end, and so are its watches.
      return
    }
    const manager = this.#self.system.whereis(managerName(source.thread))
    const request: ManagerRequest = { kind: 'fence' }
    // A manager that has died has nothing left to say.
    await (manager && this.#self.call(manager, request, { timeout: Number.POSITIVE_INFINITY }).catch(() => {}))
    for (const watch of watches) {
      const whose = watch.context !== undefined ? 'its context' : 'its observer manager'
      const text = `the watch ended, as ${whose} did: ${describe(reason)}`
      this.#end(watch, new BeamlineError('UNAVAILABLE', text, { details: { reason } }))
    }
  }

  /**
   * The process that comes in the place of a context whose thread has died, once it runs; none when the context has ended.
   * The watches of this thread are with it then: whoever writes to it after this finds them.
   */
  successor(context: Pid): Promise<Pid | undefined> {
    return this.#succession.of(context)
  }

  #follow(context: Pid, next: Pid): void {
    for (const entry of this.#watches.values()) {
      if (!entry.context?.equals(context)) continue
      const { watch, seen: since, subjects } = entry
      this.#leave(context, watch)
      entry.context = next
      entry.manager = undefined
      this.#concern(next, watch)
      // Without: whoever asks for it has not got through yet, or never will.
      if (since === undefined) continue
      const { ref, owner } = watch
      const ids = [...subjects].map(({ id }) => id)
      const resumption = { ref, owner, relay: this.pid, ids, since }
      this.#self.cast(next, { kind: 'resume', watch: resumption } satisfies ContextMessage)
    }
  }

  /** What was committed before the end is told before it. */
  #end(watch: RelayedWatch, error?: BeamlineError): void {
    this.#forget(watch)
    watch.delivery.finish(() => watch.ended(error))
  }

  /** Nothing comes any more: the system has been stopped, or somebody has killed the relay. */
  #stopped(reason: ExitReason): void {
    const error = Process.hostOf(this.#self).stopping
      ? new BeamlineError('STOPPED', 'the watch ended, as the system has been stopped')
      : new BeamlineError('UNAVAILABLE', `the watch ended, as the relay of its thread did: ${describe(reason)}`)
    this.#succession.end(error)
    for (const { watch } of [...this.#watches.values()]) this.#end(watch, error)
  }
}
