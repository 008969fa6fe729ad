import { ownerOf } from '../actors/owner.js'
import { Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError, shown } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import { Pid, Ref } from '../threads/pid.js'
import { type Metadata, metaOf } from './change.js'
import { checkMetadata } from './metadata.js'
import { managerName } from './observer-actor.js'
import type { ManagerMessage, ManagerRequest, ObserverStats } from './requests.js'
import { Watch } from './watch.js'
import type { WatchCallback } from './watch-options.js'

const actor = { module: new URL('./observer-actor.js', import.meta.url), export: 'observerActor' }

/**
 * The observers of variables, by variable id. Contexts use it for their watches; it may be used by itself for anything
 * that has an id. There is one manager on each thread that has a context; this is a handle to all of them.
 */
export class ObserverManager {
  readonly #owner: Process
  readonly #added = new Map<string, Watch>()

  private constructor(owner: Process) {
    this.#owner = owner
  }

  /** A handle whose observers belong to a process, or to the calling thread's own, unless told otherwise. */
  static of(by: ActorSystem | Process): ObserverManager {
    return new ObserverManager(ownerOf(by))
  }

  /**
   * Has `callback` called, on this thread, for every notification of a variable, until it is removed or `owner`, which
   * must live on this thread, is dead.
   * @throws BeamlineError INVALID_TYPE for an id, callback or owner that is none; NOPROC for an owner that is not here
   */
  async add(
    variableId: string,
    callback: WatchCallback,
    { owner = this.#owner }: { readonly owner?: Process | Pid } = {},
  ): Promise<Ref> {
    checkId(variableId)
    if (typeof callback !== 'function') throw bad('callback', callback, 'give a function')
    const process = owner instanceof Process ? owner : this.#processOf(owner)
    const manager = await this.#managerOf(variableId)
    const variables = [{ id: variableId, name: variableId }]
    const begin = async (ref: Ref, relay: Pid) => {
      const observer = { ref, owner: process.pid, relay, context: undefined, variables }
      await this.#owner.call(manager, { kind: 'add', observer } satisfies ManagerRequest)
      return manager
    }
    const watch = await Watch.begin([variableId], { owner: process, context: undefined, callback, options: {}, begin })
    const key = watch.ref.toString()
    this.#added.set(key, watch)
    watch.onEnd(() => this.#added.delete(key))
    return watch.ref
  }

  #processOf(pid: Pid): Process {
    if (!(pid instanceof Pid)) throw bad('owner', pid, 'give a process or its pid')
    const cell = Process.hostOf(this.#owner).cell(pid)
    if (cell !== undefined) return cell.process
    throw new BeamlineError(
      'NOPROC',
      `${pid} is no live process of this thread: an observer runs where its owner lives`,
    )
  }

  /**
   * Tells the observers of a variable; never waits.
   * @throws BeamlineError INVALID_TYPE for an id or metadata that are none; NOT_CLONEABLE for what no message can carry
   */
  notify(variableId: string, previous: unknown, value: unknown, metadata: Metadata = {}): void {
    checkId(variableId)
    checkMetadata(variableId, metadata)
    const meta = metaOf(metadata, { initial: false, resync: false, revision: 0, version: 0, timestamp: Date.now() })
    const change = { id: variableId, name: variableId, previous, value, meta }
    for (const manager of this.#managers()) {
      this.#owner.send(manager, { kind: 'commit', changes: [change], answer: undefined } satisfies ManagerMessage)
    }
  }

  /** Removes an observer. @returns whether it was there */
  async remove(variableId: string, ref: Ref): Promise<boolean> {
    checkId(variableId)
    if (!(ref instanceof Ref)) throw bad('ref', ref, 'give what add() answered')
    const watch = this.#added.get(ref.toString())
    if (watch?.names[0] === variableId) {
      await watch.stop()
      return true
    }
    const removed = await this.#ask<boolean>({ kind: 'remove', ref, id: variableId })
    return removed.some(({ answer }) => answer)
  }

  /**
   * Removes every observer of a process, wherever it lives or lived; resolves when no manager knows one. Those of a
   * process that dies go by themselves: this is for who must be sure that they have.
   * @returns how many there were
   */
  async removeAllOf(owner: Pid): Promise<number> {
    if (!(owner instanceof Pid)) throw bad('owner', owner, 'give a pid')
    const removed = await this.#ask<number>({ kind: 'disown', owner })
    return sum(removed.map(({ answer }) => answer))
  }

  /** How many observers a variable has; by its id, or by its name in whatever context. */
  async count(variableId: string): Promise<number> {
    checkId(variableId)
    const counts = await this.#ask<number>({ kind: 'count', id: variableId })
    return sum(counts.map(({ answer }) => answer))
  }

  /** How many observers there are. */
  async total(): Promise<number> {
    return (await this.stats()).observers
  }

  /** Counts since the system started, over all threads. */
  async stats(): Promise<ObserverStats> {
    const all = await this.#ask<ObserverStats>({ kind: 'stats' })
    const of = (key: keyof ObserverStats) => sum(all.map(({ answer }) => answer[key]))
    return {
      observers: of('observers'),
      variables: of('variables'),
      notifications: of('notifications'),
      records: of('records'),
      removedByDeath: of('removedByDeath'),
    }
  }

  /** What each manager answers; one that dies meanwhile has nothing to say. */
  async #ask<A>(request: ManagerRequest): Promise<{ readonly manager: Pid; readonly answer: A }[]> {
    const asked = this.#managers().map(async (manager) => {
      try {
        return [{ manager, answer: (await this.#owner.call(manager, request)) as A }]
      } catch (error) {
        if (this.#owner.system.isAlive(manager)) throw error
        return []
      }
    })
    return (await Promise.all(asked)).flat()
  }

  #managers(): Pid[] {
    const { system } = this.#owner
    system.assertOpen()
    const threads = [MAIN, ...Process.hostOf(this.#owner).placement.threads()]
    return threads.flatMap((thread) => system.whereis(managerName(thread)) ?? [])
  }

  /** The manager that serves the variable's context, or, for an id that belongs to none, that of a system thread. */
  async #managerOf(variableId: string): Promise<Pid> {
    const managers = await this.#ask<boolean>({ kind: 'tracks', id: variableId })
    return managers.find(({ answer }) => answer)?.manager ?? this.#primary()
  }

  async #primary(): Promise<Pid> {
    const { system } = this.#owner
    const name = managerName(Process.hostOf(this.#owner).placement.firstSystem())
    const there = system.whereis(name)
    if (there !== undefined) return there
    try {
      return await this.#owner.spawn(actor, undefined, { thread: 'system', name, label: 'ObserverManager' })
    } catch (error) {
      if (error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED') return system.pidOf(name)
      throw error
    }
  }
}

function checkId(id: unknown): void {
  if (typeof id !== 'string') throw bad('variableId', id, "give a text, such as a variable's id")
}

function bad(what: string, value: unknown, right: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `ObserverManager: ${what} is ${shown(value)}: ${right}`)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
