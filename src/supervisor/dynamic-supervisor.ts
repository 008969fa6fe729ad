import type { ExitReason } from '../actors/exit-reason.js'
import type { CallOptions, Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import type { Pid } from '../threads/pid.js'
import type { DynamicChildSpec } from './child-spec.js'
import { Handle } from './handle.js'
import type { DynamicSupervisorOptions } from './options.js'
import { dynamicRecipeOf } from './recipe.js'
import type { ChildCounts, ChildInfo } from './requests.js'

/**
 * A supervisor that starts without children and takes any number of them while it runs. Each is restarted for itself,
 * always with the arguments it was first given, and all are stopped at one time. Mirrors Elixir's `DynamicSupervisor`.
 *
 * Every method rejects with NOPROC when the supervisor is dead.
 */
export class DynamicSupervisor {
  readonly #handle: Handle

  private constructor(handle: Handle) {
    this.#handle = handle
  }

  /**
   * Starts one; linked and ended as {@link Supervisor.start} tells.
   * @throws BeamlineError INVALID_TYPE for an option that is none; ALREADY_REGISTERED
   */
  static async start(by: ActorSystem | Process, options: DynamicSupervisorOptions = {}): Promise<DynamicSupervisor> {
    return new DynamicSupervisor(await Handle.start(by, 'dynamicSupervisor', options, () => []))
  }

  /** A handle for another process, by pid or name. @throws BeamlineError INVALID_TYPE for what is neither */
  static attach(self: Process | ActorSystem, to: Pid | string): DynamicSupervisor {
    return new DynamicSupervisor(new Handle(self, to))
  }

  /** @throws BeamlineError NOPROC for a handle by a name that nobody has */
  get pid(): Pid {
    return this.#handle.pid
  }

  /**
   * Starts a child; undefined when it ended with `normal` before it was ready, and is not kept then.
   * @throws BeamlineError OVERFLOW with `details.reason` `max_children`; NOPROC when it fails to start
   * (`details.reason`); INVALID_TYPE; BAD_ENTRY for a closure when the supervisor is on another thread
   */
  startChild(spec: DynamicChildSpec): Promise<Pid | undefined> {
    return this.#handle.startChild((portable) => dynamicRecipeOf('startChild', spec, portable))
  }

  /** The children in the order in which they were added. */
  async whichChildren(): Promise<ChildInfo[]> {
    return (await this.#handle.ask({ kind: 'which' })) as ChildInfo[]
  }

  async countChildren(): Promise<ChildCounts> {
    return (await this.#handle.ask({ kind: 'count' })) as ChildCounts
  }

  /**
   * Stops a child for good. While its restart is awaited it is known by the pid it had.
   * @throws BeamlineError NOT_FOUND for a pid that is no child's
   */
  async terminateChild(pid: Pid): Promise<void> {
    await this.#handle.ask({ kind: 'terminate', child: pid })
  }

  /** Stops the children, all at one time, then the supervisor with `reason`; as {@link Supervisor.stop}. */
  stop(reason: ExitReason = 'normal', options: CallOptions = {}): Promise<void> {
    return this.#handle.stop(reason, options)
  }
}
