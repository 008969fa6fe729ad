import { type Behaviour, behaviour } from '../actors/behaviour.js'
import type { Cell } from '../actors/cell.js'
import { Call, type Down, isDown } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import type { Wires } from '../actors/wires.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import { DATED, REPLACES, Wire } from '../threads/wire.js'
import type { Change } from './change.js'
import { type Audience, ObserverTable } from './observer-table.js'
import type {
  Answer,
  ManagerMessage,
  ManagerRequest,
  Observer,
  ObserverStats,
  RelayMessage,
  WatcherInfo,
} from './requests.js'
import { isManagerMessage, isManagerRequest } from './shape.js'
import { CHANGED } from './wire-ops.js'

/** The registered name of the observer manager of a thread. */
export const managerName = (thread: number): string => `beamline.observers.${thread}`

/** The process that knows the observers of all contexts of its thread. Loaded by name where a thread has no context. */
export const observerActor = behaviour<undefined>((self) => {
  const actor = new ObserverActor(self)
  placeOf(self).actor = actor
  return actor
})

const service = Symbol('beamline.observers')

/** Where the contexts of a thread find its manager without a message. */
function placeOf(process: Process): { actor?: ObserverActor } {
  return Process.hostOf(process).service(service, () => ({}))
}

/** The manager of the thread of `process`. */
export const managerHere = (process: Process): ObserverActor | undefined => placeOf(process).actor

/** What a variable tells of its last commit. */
interface Committed {
  readonly revision: number
  readonly version: number
  readonly timestamp: number
  readonly previous: unknown
  readonly value: unknown
}

/** A context of this thread, and its variables: names by id. */
interface Tracked {
  readonly monitor: Ref
  readonly names: Map<string, string>
}

/** What a watch is told first. */
type Beginning = Pick<ManagerMessage & { kind: 'observe' }, 'begin' | 'revision' | 'lost'>

/**
 * Notifies watching threads of commits and forgets observers whose owners have died, however they died: it monitors
 * each owner once, and each relay.
 */
export class ObserverActor implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #cell: Cell
  readonly #wires: Wires
  readonly #wire = new Wire()
  readonly #table = new ObserverTable()
  /** The monitor of each owner. */
  readonly #owners = new Map<string, Ref>()
  /** The monitor of each relay that was ever told anything. */
  readonly #relays = new Map<string, Ref>()
  readonly #contexts = new Map<string, Tracked>()
  #notifications = 0
  #records = 0
  #removedByDeath = 0

  constructor(self: Process) {
    this.#self = self
    this.#cell = Process.cellOf(self)
    this.#wires = Process.hostOf(self).wires
    this.#wire.op = CHANGED
    this.#wire.parts = DATED | REPLACES
  }

  /** Who watches a variable; the same as long as {@link generation} is. */
  audience(id: string): Audience | undefined {
    return this.#table.audience(id)
  }

  get generation(): number {
    return this.#table.generation
  }

  /** Whether nothing waits that was told before: then {@link changed} is in order. */
  get rests(): boolean {
    return this.#cell.rests
  }

  /** The commit of a scalar, from a context of this thread. */
  changed(audience: Audience | null, { revision, version, timestamp, previous, value }: Committed): void {
    this.#notifications++
    if (audience === null) return
    const wire = this.#wire
    wire.subject = audience.subject
    wire.revision = revision
    wire.version = version
    wire.timestamp = timestamp
    wire.previous = previous
    wire.value = value
    const { relays } = audience
    for (let i = 0; i < relays.length; i++) {
      this.#records++
      this.#wires.hand(wire, (relays[i] as { relay: Pid }).relay)
    }
  }

  handle(message: unknown): void {
    if (message instanceof Call) this.#answer(message)
    else if (isDown(message)) this.#down(message)
    // Anyone may send to this pid: what no context would say is nobody's.
    else if (isManagerMessage(message)) this.#tell(message)
  }

  #answer({ from, request }: Call): void {
    if (isManagerRequest(request)) return this.#self.reply(from, this.#ask(request))
    const text = `an observer manager is not asked ${shown(request)}: use ObserverManager.of(system)`
    this.#self.replyError(from, new BeamlineError('INVALID_TYPE', text))
  }

  #tell(message: ManagerMessage): void {
    switch (message.kind) {
      case 'commit':
        return this.#commit(message.changes, message.answer)
      case 'observe':
        return this.#observe(message)
      case 'track':
        return void this.#namesOf(message.context).set(message.id, message.name)
      case 'untrack':
        this.#contexts.get(message.context.toString())?.names.delete(message.id)
        for (const { owner } of this.#table.drop(message.id)) this.#release(owner)
        return
      case 'resync':
        return this.#resync(message)
      case 'forget':
        this.#remove(message.ref)
        return
      case 'list':
        return this.#self.reply(message.from, this.#list(message.context, message.backend))
    }
  }

  #ask(request: ManagerRequest): unknown {
    switch (request.kind) {
      case 'add':
        return this.#add(request.observer, { begin: [], revision: 0, lost: undefined })
      case 'remove':
        return this.#remove(request.ref, request.id)
      case 'disown':
        return this.#disown(request.owner)
      case 'tracks':
        return [...this.#contexts.values()].some(({ names }) => names.has(request.id))
      case 'count':
        return this.#count(request.id)
      case 'stats':
        return this.#stats()
      case 'fence':
        return undefined
    }
  }

  /** The variables of a context; from the first on it matters when it dies. */
  #namesOf(context: Pid): Map<string, string> {
    const known = this.#contexts.get(context.toString())
    if (known !== undefined) return known.names
    const names = new Map<string, string>()
    this.#contexts.set(context.toString(), { monitor: this.#self.monitor(context), names })
    return names
  }

  /** Observers of a variable, by its id, or by the name it has in whatever context. */
  #count(idOrName: string): number {
    let count = this.#table.count(idOrName)
    for (const { names } of this.#contexts.values()) {
      for (const [id, name] of names) if (name === idOrName) count += this.#table.count(id)
    }
    return count
  }

  /** The answer follows the notifications: who awaits a set knows that they are on their way before it goes on. */
  #commit(changes: readonly Change[], answer: Answer | undefined): void {
    this.#notifications += changes.length
    for (const record of this.#table.records(changes)) {
      this.#records++
      this.#self.send(record.relay, { kind: 'changes', changes: record.changes } satisfies RelayMessage)
    }
    if (answer !== undefined) this.#self.reply(answer.from, answer.value)
  }

  #resync(message: ManagerMessage & { kind: 'resync' }): void {
    const observers = this.#table.list().filter(({ context }) => context?.equals(message.context))
    const relays = new Map(observers.map(({ relay }) => [relay.toString(), relay]))
    for (const relay of relays.values()) this.#self.send(relay, message satisfies RelayMessage)
  }

  #observe({ observer, answer, ...beginning }: ManagerMessage & { kind: 'observe' }): void {
    this.#add(observer, beginning)
    if (answer !== undefined) this.#self.reply(answer.from, answer.value)
  }

  #add(observer: Observer, { begin, revision, lost }: Beginning): void {
    // All that it watched may have been deleted while its context was down: its relay ends it then.
    if (observer.variables.length > 0) {
      if (!this.#table.add(observer)) return
      this.#monitor(this.#owners, observer.owner)
      this.#monitor(this.#relays, observer.relay)
    }
    const variables = observer.variables.map(({ id, name }) => {
      return { id, name: this.#nameOf(id) ?? name, subject: this.#table.audience(id)?.subject ?? 0 }
    })
    const { ref, relay } = observer
    const watching: RelayMessage = { kind: 'watching', ref, manager: this.#self.pid, variables, begin, revision, lost }
    this.#self.send(relay, watching)
  }

  /** An observer that was added by hand knows no name but the id. */
  #nameOf(id: string): string | undefined {
    for (const { names } of this.#contexts.values()) if (names.has(id)) return names.get(id)
    return undefined
  }

  #monitor(monitors: Map<string, Ref>, pid: Pid): void {
    if (!monitors.has(pid.toString())) monitors.set(pid.toString(), this.#self.monitor(pid))
  }

  #remove(ref: Ref, id?: string): boolean {
    const observer = this.#table.remove(ref, id)
    if (observer === undefined) return false
    this.#self.send(observer.relay, { kind: 'removed', ref } satisfies RelayMessage)
    this.#release(observer.owner)
    return true
  }

  #disown(owner: Pid): number {
    const refs = this.#table.ownedBy(owner)
    for (const ref of refs) this.#remove(ref)
    return refs.length
  }

  /** An owner has lost an observer: without any it need not be monitored. */
  #release(owner: Pid): void {
    const monitor = this.#owners.get(owner.toString())
    if (monitor === undefined || this.#table.owns(owner)) return
    this.#self.demonitor(monitor, { flush: true })
    this.#owners.delete(owner.toString())
  }

  /** An owner of observers is dead, a relay, or a context that is observed. */
  #down({ pid, ref }: Down): void {
    const key = String(pid)
    const removed: Observer[] = []
    if (this.#owners.get(key)?.equals(ref)) {
      this.#owners.delete(key)
      this.#removedByDeath += this.#table.removeOwnedBy(pid as Pid)
    } else if (this.#relays.get(key)?.equals(ref)) {
      this.#relays.delete(key)
      removed.push(...this.#table.removeAll(({ relay }) => relay.equals(pid)))
      this.#removedByDeath += removed.length
    } else if (this.#contexts.get(key)?.monitor.equals(ref)) {
      this.#contexts.delete(key)
      removed.push(...this.#table.removeAll(({ context }) => context?.equals(pid) === true))
    }
    for (const { owner } of removed) this.#release(owner)
  }

  #list(context: Pid, backend: WatcherInfo['backend']): WatcherInfo[] {
    const watchers = this.#table.list().filter((observer) => observer.context?.equals(context))
    return watchers.map(({ ref, owner, variables }) => {
      const names = variables.map(({ name }) => name)
      return { ref, names, owner, alive: this.#self.system.isAlive(owner), backend }
    })
  }

  #stats(): ObserverStats {
    const { size: observers, variables } = this.#table
    const notifications = this.#notifications
    return { observers, variables, notifications, records: this.#records, removedByDeath: this.#removedByDeath }
  }
}
