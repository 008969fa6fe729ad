import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { describe, type ExitReason } from '../actors/exit-reason.js'
import { Deferred, type Down, isDown, KeptWire } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import type { Change } from './change.js'
import type { Delivery } from './delivery.js'
import { managerName } from './observer-actor.js'
import type { ManagerMessage, ManagerRequest, RelayMessage } from './requests.js'
import { isRelayMessage } from './shape.js'
import { CHANGED } from './wire-ops.js'

/** A watch as its thread's relay sees it. */
export interface RelayedWatch {
  readonly ref: Ref
  readonly owner: Pid
  /** Whether the owner is a shell, whose code runs on when its process has ended, and must hear that the watch is over. */
  readonly isShell: boolean
  /** The context, whose death ends the watch; undefined for an observer that was added by hand. */
  readonly context: Pid | undefined
  readonly delivery: Delivery
  /** The watch is over: as nothing can come any more (no error), or for a reason its owner should hear. */
  ended(error?: BeamlineError): void
}

/** A watch, and what is known of it. */
interface Entry {
  readonly watch: RelayedWatch
  /** The observer manager that knows it, once it has begun. */
  manager?: Pid
  /** The variables it watches, once it has begun: those that are there yet. */
  readonly subjects: Set<Subject>
}

/** A variable that is watched on this thread. */
interface Subject {
  readonly id: string
  readonly name: string
  readonly entries: Set<Entry>
  /** The thread of its manager, and what that calls it in compact messages. */
  readonly thread: number
  readonly number: number
}

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
  /** By variable id. */
  readonly #subjects = new Map<string, Subject>()
  /** By the thread of their manager, then by the number that it gave them. */
  readonly #numbered = new Map<number, (Subject | undefined)[]>()
  /** By pid: owners and contexts of watches, and the managers of those that have no context. */
  readonly #concerned = new Map<string, Concern>()
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
    // Not at once: what the watches' owners do when they hear of it must not come between this death and the answers
    // that wait in the mailbox.
    self.signal.addEventListener('abort', () => queueMicrotask(() => this.#stopped(self.signal.reason as ExitReason)))
    return this
  }

  /** From now on the relay takes what comes for `watch`. */
  add(watch: RelayedWatch): void {
    this.#watches.set(watch.ref.toString(), { watch, subjects: new Set() })
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
    for (const subject of entry.subjects) {
      if (subject.entries.delete(entry) && subject.entries.size === 0) this.#drop(subject)
    }
    for (const pid of [watch.owner, watch.context, entry.manager]) {
      const concern = pid && this.#concerned.get(pid.toString())
      if (pid === undefined || !concern?.watches.delete(watch) || concern.watches.size > 0) continue
      if (concern.monitor !== undefined) this.#self.demonitor(concern.monitor, { flush: true })
      this.#concerned.delete(pid.toString())
    }
  }

  #drop(subject: Subject): void {
    this.#subjects.delete(subject.id)
    const numbered = this.#numbered.get(subject.thread)
    if (numbered?.[subject.number] === subject) numbered[subject.number] = undefined
  }

  handle(message: unknown): void {
    if (message instanceof Deferred) message.run()
    else if (message instanceof KeptWire) this.takeWire(message.wire)
    else if (isDown(message)) this.#down(message)
    // Anyone may send to this pid: what no manager would say is nobody's.
    else if (isRelayMessage(message)) this.#relay(message)
  }

  takeWire({ op, thread, subject: number, previous, value, revision, version, timestamp }: Wire): void {
    const subject = op === CHANGED ? this.#numbered.get(thread)?.[number] : undefined
    if (subject === undefined) return
    const { id, name, entries } = subject
    const meta = { source: 'local', initial: false, resync: false, revision, version, timestamp }
    const change = { id, name, previous, value, meta }
    for (const { watch } of entries) offer(watch, change)
  }

  #relay(message: RelayMessage): void {
    if (message.kind === 'changes') {
      for (const change of message.changes) this.#change(change)
      return
    }
    const entry = this.#watches.get(message.ref.toString())
    if (message.kind === 'removed') return entry && this.#removed(entry.watch)
    if (entry === undefined) return this.#disown(message.manager, message.ref)
    this.#begin(entry, message)
  }

  #begin(entry: Entry, { manager, variables, begin }: RelayMessage & { kind: 'watching' }): void {
    if (entry.manager !== undefined) return
    entry.manager = manager
    if (entry.watch.context === undefined) this.#concern(manager, entry.watch)
    for (const { id, name, subject: number } of variables) {
      const subject = this.#subjectOf(id, name, manager.thread, number)
      subject.entries.add(entry)
      entry.subjects.add(subject)
    }
    for (const change of begin) offer(entry.watch, change)
  }

  #subjectOf(id: string, name: string, thread: number, number: number): Subject {
    const known = this.#subjects.get(id)
    if (known?.thread === thread && known.number === number) return known
    const subject = { id, name, thread, number, entries: known?.entries ?? new Set<Entry>() }
    if (known !== undefined) this.#rename(known, subject)
    this.#subjects.set(id, subject)
    const numbered = this.#numbered.get(thread)
    if (numbered === undefined) this.#numbered.set(thread, [])
    ;(this.#numbered.get(thread) as (Subject | undefined)[])[number] = subject
    return subject
  }

  /** Its manager calls it by another number now. */
  #rename(known: Subject, subject: Subject): void {
    this.#drop(known)
    for (const entry of subject.entries) {
      entry.subjects.delete(known)
      entry.subjects.add(subject)
    }
  }

  #change(change: Change): void {
    const subject = this.#subjects.get(change.id)
    if (subject === undefined) return
    for (const { watch } of subject.entries) offer(watch, change)
    if (!change.meta.deleted) return
    this.#drop(subject)
    for (const entry of subject.entries) {
      entry.subjects.delete(subject)
      if (entry.subjects.size === 0) this.#end(entry.watch)
    }
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
    const concern = this.#concerned.get(String(pid))
    if (concern === undefined || concern.monitor?.equals(ref) !== true) return
    const watches = [...concern.watches]
    for (const watch of watches) if (watch.owner.equals(pid)) this.#widowed(watch, reason)
    const orphans = watches.filter(({ owner }) => !owner.equals(pid))
    if (orphans.length > 0) void this.#orphaned(orphans, concern.pid, reason)
  }

  /** The context's last commits may still be with its manager: they come before the end of its watches. */
  async #orphaned(watches: readonly RelayedWatch[], source: Pid, reason: ExitReason): Promise<void> {
    const manager = this.#self.system.whereis(managerName(source.thread))
    const request: ManagerRequest = { kind: 'fence' }
    // A manager that has died has nothing left to say.
    await (manager && this.#self.call(manager, request, { timeout: Number.POSITIVE_INFINITY }).catch(() => {}))
    for (const watch of watches) {
      const whose = source.equals(watch.context) ? 'its context' : 'its observer manager'
      const text = `the watch ended, as ${whose} did: ${describe(reason)}`
      this.#end(watch, new BeamlineError('UNAVAILABLE', text, { details: { reason } }))
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
    for (const { watch } of [...this.#watches.values()]) this.#end(watch, error)
  }
}

/** No watch may harm another, nor the relay they share. */
function offer(watch: RelayedWatch, change: Change): void {
  try {
    watch.delivery.offer(change)
  } catch (error) {
    watch.delivery.report(error)
  }
}
