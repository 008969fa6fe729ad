import type { ExitReason } from '../actors/exit-reason.js'
import type { CallOptions, Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import type { Pid } from '../threads/pid.js'
import type { ChildSpec } from './child-spec.js'
import { Handle } from './handle.js'
import type { SupervisorOptions } from './options.js'
import { recipeOf, recipesOf } from './recipe.js'
import type { ChildCounts, ChildInfo } from './requests.js'

/**
 * A process that starts children, restarts them when they crash, and stops them in reverse order before it ends. Mirrors
 * Elixir's `Supervisor`.
 *
 * ```ts
 * const sup = await Supervisor.start(system, [
 *   { id: 'store', start: { server: Store, args: { size: 10 } } },
 *   { id: 'loop', start: { entry: { module: import.meta.url, export: 'loop' } }, restart: 'transient' },
 * ], { strategy: 'rest_for_one' })
 * ```
 *
 * Every restart and every surrender is an event `{ type: 'restart' | 'giveUp', supervisor, id, reason }` on the channel
 * `beamline:supervisor` of `node:diagnostics_channel`, on the thread of the supervisor. Every method rejects with NOPROC
 * when the supervisor is dead.
 */
export class Supervisor {
  readonly #handle: Handle

  private constructor(handle: Handle) {
    this.#handle = handle
  }

  /**
   * Starts a supervisor and its children, in order, each once the one before it is ready. A server whose `init` ends with
   * `normal` (as `Server.ignore` does) is kept without a process.
   *
   * It is linked to a process that starts it, as by `start_link`, but not to the calling thread's own when `by` is a
   * system. Its parent's exit signal ends it, children first, with the same reason.
   * @throws BeamlineError INVALID_TYPE for what is no specification or option; ALREADY_EXISTS for an id that is there
   * twice; BAD_ENTRY for a child that cannot run on the supervisor's `thread`; ALREADY_REGISTERED; NOPROC when a child
   * fails to start: `details.reason` is `{ shutdown: { failedToStartChild: { id, reason } } }`, and those before it have
   * been stopped
   */
  static async start(
    by: ActorSystem | Process,
    children: readonly ChildSpec[],
    options: SupervisorOptions = {},
  ): Promise<Supervisor> {
    const recipes = (portable: boolean) => recipesOf('Supervisor.start', children, portable)
    return new Supervisor(await Handle.start(by, 'supervisor', options, recipes))
  }

  /**
   * A handle for another process, by pid or name; by name it means whoever has it at the time, also after a restart.
   * @throws BeamlineError INVALID_TYPE for what is neither
   */
  static attach(self: Process | ActorSystem, to: Pid | string): Supervisor {
    return new Supervisor(new Handle(self, to))
  }

  /** @throws BeamlineError NOPROC for a handle by a name that nobody has */
  get pid(): Pid {
    return this.#handle.pid
  }

  /**
   * Adds a child and starts it; undefined when it ended with `normal` before it was ready. A closure, or a class without
   * a module, is for a supervisor on the caller's thread. Mirrors `start_child/2`.
   * @throws BeamlineError ALREADY_EXISTS for an id that is there: `details.reason` is `already_started` (with `pid`) or
   * `already_present`; NOPROC when it fails to start (`details.reason`), and is not kept then; INVALID_TYPE; BAD_ENTRY
   */
  startChild(spec: ChildSpec): Promise<Pid | undefined> {
    return this.#handle.startChild((portable) => recipeOf('startChild', spec, portable))
  }

  /** The children in the order of their start. */
  async whichChildren(): Promise<(ChildInfo & { readonly id: string })[]> {
    return (await this.#handle.ask({ kind: 'which' })) as (ChildInfo & { readonly id: string })[]
  }

  async countChildren(): Promise<ChildCounts> {
    return (await this.#handle.ask({ kind: 'count' })) as ChildCounts
  }

  /**
   * Stops a child, and keeps its specification unless it is temporary.
   * @throws BeamlineError NOT_FOUND
   */
  async terminateChild(id: string): Promise<void> {
    await this.#handle.ask({ kind: 'terminate', child: id })
  }

  /**
   * Starts a child that does not run.
   * @throws BeamlineError NOT_FOUND; ALREADY_EXISTS with `details.reason` `running` or `restarting`; NOPROC when it fails
   */
  async restartChild(id: string): Promise<Pid | undefined> {
    return (await this.#handle.ask({ kind: 'restart', child: id })) as Pid | undefined
  }

  /**
   * Forgets a child that does not run.
   * @throws BeamlineError NOT_FOUND; ALREADY_EXISTS with `details.reason` `running` or `restarting`
   */
  async deleteChild(id: string): Promise<void> {
    await this.#handle.ask({ kind: 'delete', child: id })
  }

  /**
   * Stops the children in reverse order, one at a time, then the supervisor with `reason`; resolves once it is dead.
   * Mirrors `Supervisor.stop/3`.
   * @param options.timeout milliseconds to wait, `Infinity` unless told
   * @throws BeamlineError NOPROC when it is dead already, or ends for another reason; CALL_TIMEOUT
   */
  stop(reason: ExitReason = 'normal', options: CallOptions = {}): Promise<void> {
    return this.#handle.stop(reason, options)
  }
}
