import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { Call, type Down, isDown } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import { ObserverTable } from './observer-table.js'
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

/** The registered name of the observer manager of a thread. */
export const managerName = (thread: number): string => `beamline.observers.${thread}`

/** The process that knows the observers of all contexts of its thread. Loaded by name where a thread has no context. */
export const observerActor = behaviour<undefined>((self) => new ObserverActor(self))

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
class ObserverActor implements Behaviour {
  readonly trusted = true
  readonly #self: Process
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
      case 'forget':
        this.#remove(message.ref)
        return
      case 'list':
        return this.#self.reply(message.from, this.#list(message.context))
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

  #observe({ observer, answer, ...beginning }: ManagerMessage & { kind: 'observe' }): void {
    this.#add(observer, beginning)
    if (answer !== undefined) this.#self.reply(answer.from, answer.value)
  }

  #add(observer: Observer, { begin, revision, lost }: Beginning): void {
    if (!this.#table.add(observer)) return
    this.#monitor(this.#owners, observer.owner)
    this.#monitor(this.#relays, observer.relay)
    const ids = observer.variables.map(({ id }) => id)
    const { ref, relay } = observer
    const watching: RelayMessage = { kind: 'watching', ref, manager: this.#self.pid, ids, begin, revision, lost }
    this.#self.send(relay, watching)
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

  #list(context: Pid): WatcherInfo[] {
    const watchers = this.#table.list().filter((observer) => observer.context?.equals(context))
    return watchers.map(({ ref, owner, variables }) => {
      const names = variables.map(({ name }) => name)
      return { ref, names, owner, alive: this.#self.system.isAlive(owner), backend: 'local' }
    })
  }

  #stats(): ObserverStats {
    const { size: observers, variables } = this.#table
    const notifications = this.#notifications
    return { observers, variables, notifications, records: this.#records, removedByDeath: this.#removedByDeath }
  }
}
