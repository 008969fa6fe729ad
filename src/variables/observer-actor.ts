import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { Call, type Down, isDown } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import type { Pid } from '../threads/pid.js'
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

/** The registered name of the observer manager of a thread. */
export const managerName = (thread: number): string => `beamline.observers.${thread}`

/** The process that knows the observers of all contexts of its thread. Loaded by name where a thread has no context. */
export const observerActor = behaviour<undefined>((self) => new ObserverActor(self))

/**
 * Notifies watching threads of commits and forgets observers whose owners have died, however they died: it monitors
 * each owner once.
 */
class ObserverActor implements Behaviour {
  readonly #self: Process
  readonly #table = new ObserverTable()
  /** The monitor of each owner. */
  readonly #owners = new Map<string, import('../threads/pid.js').Ref>()
  /** By context: the ids of its variables. */
  readonly #tracked = new Map<string, Set<string>>()
  #notifications = 0
  #records = 0
  #removedByDeath = 0

  constructor(self: Process) {
    this.#self = self
  }

  handle(message: unknown): void {
    if (message instanceof Call) this.#self.reply(message.from, this.#ask(message.request as ManagerRequest))
    else if (isDown(message)) this.#down(message)
    else this.#tell(message as ManagerMessage)
  }

  #tell(message: ManagerMessage): void {
    switch (message.kind) {
      case 'commit':
        return this.#commit(message.changes, message.answer)
      case 'observe':
        return this.#observe(message.observer, message.begin, message.answer)
      case 'track':
        return this.#track(message.id, message.context)
      case 'untrack':
        this.#tracked.get(message.context.toString())?.delete(message.id)
        return this.#table.drop(message.id)
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
        return this.#add(request.observer, [])
      case 'remove':
        return this.#remove(request.ref, request.id)
      case 'tracks':
        return [...this.#tracked.values()].some((ids) => ids.has(request.id))
      case 'count':
        return this.#table.count(request.id)
      case 'stats':
        return this.#stats()
      case 'fence':
        return undefined
    }
  }

  #track(id: string, context: Pid): void {
    const ids = this.#tracked.get(context.toString())
    if (ids !== undefined) return void ids.add(id)
    this.#tracked.set(context.toString(), new Set([id]))
    this.#self.monitor(context)
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

  #observe(observer: Observer, begin: readonly Change[], answer: Answer): void {
    this.#add(observer, begin)
    this.#self.reply(answer.from, answer.value)
  }

  #add(observer: Observer, begin: readonly Change[]): void {
    if (!this.#table.add(observer)) return
    const owner = observer.owner.toString()
    if (!this.#owners.has(owner)) this.#owners.set(owner, this.#self.monitor(observer.owner))
    const ids = observer.variables.map(({ id }) => id)
    const watching: RelayMessage = { kind: 'watching', ref: observer.ref, manager: this.#self.pid, ids, begin }
    this.#self.send(observer.relay, watching)
  }

  #remove(ref: Observer['ref'], id?: string): boolean {
    const observer = this.#table.remove(ref, id)
    if (observer === undefined) return false
    this.#self.send(observer.relay, { kind: 'removed', ref } satisfies RelayMessage)
    const owner = observer.owner.toString()
    const monitor = this.#owners.get(owner)
    if (monitor === undefined || this.#table.owns(observer.owner)) return true
    this.#self.demonitor(monitor, { flush: true })
    this.#owners.delete(owner)
    return true
  }

  /** An owner of observers is dead, or a context that is observed. */
  #down({ pid }: Down): void {
    if (this.#owners.delete(pid.toString())) this.#removedByDeath += this.#table.removeOwnedBy(pid as Pid)
    if (this.#tracked.delete(pid.toString())) this.#table.removeOf(pid as Pid)
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
