import { ownerOf } from '../actors/owner.js'
import type { Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError } from '../errors.js'
import type { SupervisorOptions } from '../supervisor/options.js'
import { Supervisor } from '../supervisor/supervisor.js'
import type { Pid } from '../threads/pid.js'
import { WatcherPosition } from './watcher-position.js'
import { type WatcherSpec, watcherChild } from './watcher-spec.js'

/** A watcher as `list` tells of it. */
export interface SupervisedWatcher {
  readonly id: string
  /** Undefined while it does not run. */
  readonly pid: Pid | undefined
  readonly context: string | Pid
  readonly names: readonly string[]
  /** Up to this revision of its context all callbacks are done, but perhaps some of that one; undefined before any. */
  readonly revision: number | undefined
  readonly restarts: number
  /** How often present values had to make up for changes that were no longer kept. */
  readonly resyncs: number
}

interface Known {
  readonly spec: WatcherSpec
  readonly position: WatcherPosition
}

/**
 * Watchers that are processes under a supervisor. When one dies, its observers are removed before it is started again, and
 * it goes on where it stood: after its last change whose callback was done, by the log of its context. The change in whose
 * callback it died is told again, no other is, and none is missed. What a callback throws ends its watcher.
 */
export class WatcherSupervisor implements AsyncDisposable {
  readonly #owner: Process
  readonly #supervisor: Supervisor
  readonly #known: Map<string, Known>

  private constructor(owner: Process, supervisor: Supervisor, known: Map<string, Known>) {
    this.#owner = owner
    this.#supervisor = supervisor
    this.#known = known
  }

  /**
   * Starts a supervisor, `one_for_one` unless told, and its watchers. All that is written afterwards they are told of.
   * @throws BeamlineError INVALID_TYPE, BAD_ENTRY; NOPROC when one cannot begin, as `Supervisor.start`
   */
  static async start(
    by: ActorSystem | Process,
    specs: readonly WatcherSpec[] = [],
    options: SupervisorOptions = {},
  ): Promise<WatcherSupervisor> {
    const owner = ownerOf(by)
    const children = specs.map(watcherChild)
    const known = new Map(
      children.map((child, index) => [child.id, knownOf(owner, specs[index] as WatcherSpec, child)]),
    )
    return new WatcherSupervisor(owner, await Supervisor.start(by, children, options), known)
  }

  /** The supervisor, under which other children may be put, too. */
  get supervisor(): Supervisor {
    return this.#supervisor
  }

  /** Adds a watcher. @throws BeamlineError as {@link start}; ALREADY_EXISTS for an id in use */
  async startWatcher(spec: WatcherSpec): Promise<Pid> {
    const child = watcherChild(spec)
    const pid = (await this.#supervisor.startChild(child)) as Pid
    this.#known.set(spec.id, knownOf(this.#owner, spec, child))
    return pid
  }

  /** Ends a watcher for good. @throws BeamlineError NOT_FOUND */
  async stopWatcher(id: string): Promise<void> {
    if (!this.#known.has(id))
      throw new BeamlineError('NOT_FOUND', `there is no watcher '${id}': give the id of one`, { details: { id } })
    try {
      await this.#supervisor.terminateChild(id)
      await this.#supervisor.deleteChild(id)
    } catch (error) {
      // A supervisor that has given up has ended its watchers before.
      if (!(error instanceof BeamlineError && error.code === 'NOPROC')) throw error
    }
    this.#known.delete(id)
  }

  /** The watchers, in the order in which they were started. */
  list(): SupervisedWatcher[] {
    return Array.from(this.#known.values(), ({ spec: { id, context, names }, position }) => {
      const { watcher, revision, starts, resyncs } = position
      const pid = watcher !== undefined && this.#owner.system.isAlive(watcher) ? watcher : undefined
      return { id, pid, context, names, revision, restarts: Math.max(starts - 1, 0), resyncs }
    })
  }

  /** Ends the watchers and their supervisor. */
  stop(): Promise<void> {
    return this.#supervisor.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function knownOf(owner: Process, spec: WatcherSpec, child: ReturnType<typeof watcherChild>): Known {
  return { spec, position: new WatcherPosition(child.start.args.position, owner.pid.node) }
}
