import { Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import type { Pid, Ref } from '../threads/pid.js'
import { type Metadata, metaOf } from './change.js'
import { managerName } from './observer-actor.js'
import type { ManagerMessage, ManagerRequest, ObserverStats } from './requests.js'
import { ownerOf, Watch } from './watch.js'
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
   */
  async add(
    variableId: string,
    callback: WatchCallback,
    { owner = this.#owner }: { readonly owner?: Process | Pid } = {},
  ): Promise<Ref> {
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
    const cell = Process.hostOf(this.#owner).cell(pid)
    if (cell !== undefined) return cell.process
    throw new BeamlineError(
      'NOPROC',
      `${pid} is no live process of this thread: an observer runs where its owner lives`,
    )
  }

  /** Tells the observers of a variable; never waits. */
  notify(variableId: string, previous: unknown, value: unknown, metadata: Metadata = {}): void {
    const meta = metaOf(metadata, { initial: false, resync: false, revision: 0, version: 0, timestamp: Date.now() })
    const change = { id: variableId, name: variableId, previous, value, meta }
    for (const manager of this.#managers()) {
      this.#owner.send(manager, { kind: 'commit', changes: [change], answer: undefined } satisfies ManagerMessage)
    }
  }

  /** Removes an observer. @returns whether it was there */
  async remove(variableId: string, ref: Ref): Promise<boolean> {
    const watch = this.#added.get(ref.toString())
    if (watch?.names[0] === variableId) {
      await watch.stop()
      return true
    }
    const removed = (await this.#ask({ kind: 'remove', ref, id: variableId })) as boolean[]
    return removed.includes(true)
  }

  /** How many observers a variable has; by its id, or by its name in whatever context. */
  async count(variableId: string): Promise<number> {
    return sum((await this.#ask({ kind: 'count', id: variableId })) as number[])
  }

  /** How many observers there are. */
  async total(): Promise<number> {
    return (await this.stats()).observers
  }

  /** Counts since the system started, over all threads. */
  async stats(): Promise<ObserverStats> {
    const all = (await this.#ask({ kind: 'stats' })) as ObserverStats[]
    const of = (key: keyof ObserverStats) => sum(all.map((stats) => stats[key]))
    return {
      observers: of('observers'),
      variables: of('variables'),
      notifications: of('notifications'),
      records: of('records'),
      removedByDeath: of('removedByDeath'),
    }
  }

  #ask(request: ManagerRequest): Promise<unknown[]> {
    return Promise.all(this.#managers().map((manager) => this.#owner.call(manager, request)))
  }

  #managers(): Pid[] {
    const { system } = this.#owner
    system.assertOpen()
    const threads = [MAIN, ...Process.hostOf(this.#owner).placement.threads()]
    return threads.flatMap((thread) => system.whereis(managerName(thread)) ?? [])
  }

  /** The manager that serves the variable's context, or, for an id that belongs to none, that of a system thread. */
  async #managerOf(variableId: string): Promise<Pid> {
    const managers = this.#managers()
    const tracks = await Promise.all(
      managers.map((manager) => this.#owner.call(manager, { kind: 'tracks', id: variableId } satisfies ManagerRequest)),
    )
    return managers[tracks.indexOf(true)] ?? this.#primary()
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

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
