import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import { behaviour } from '../behaviour.js'
import { type Entry, type EntryName, nameOf } from '../entry.js'
import type { ExitReason } from '../exit-reason.js'
import { ownerOf } from '../owner.js'
import type { CallOptions, Process } from '../process.js'
import type { SpawnOptions } from '../spawner.js'
import type { Startable } from '../startable.js'
import type { ActorSystem } from '../system.js'
import type { Name } from '../via.js'
import { type AgentSource, agentOf } from './agent-actor.js'
import { type AnyFunction, type Closures, closuresOf } from './closures.js'
import type { AgentTask } from './requests.js'

export interface AgentOptions extends Omit<SpawnOptions, 'mailbox'> {
  /** What the function that makes the first state is given. */
  readonly args?: readonly unknown[]
}

/** A function of an agent's state: a closure, for an agent of this thread, or a module's export, for any. */
export type AgentFunction<S, A extends readonly unknown[], R> = ((state: S, ...args: A) => R | Promise<R>) | Entry

const actor = { module: new URL('./agent-actor.js', import.meta.url), export: 'agentActor' }

/**
 * A process that keeps a state, and nothing else: whoever needs it sends a function that is applied to it there, one at
 * a time; one that returns a promise is waited for. Mirrors Elixir's `Agent`.
 *
 * A function that throws ends the agent with that error as the reason, and the caller's promise is rejected with NOPROC
 * (`cause`, `details.reason`). What a function returns to its caller is a copy.
 *
 * ```ts
 * const agent = await Agent.start(system, () => new Map<string, number>())
 * await agent.update((scores) => scores.set('ann', 3))
 * await agent.get((scores) => scores.get('ann'))
 * ```
 *
 * An agent whose first state is made by a closure lives on the thread that starts it, and takes closures from that thread.
 * To an agent elsewhere a function is given as `{ module, export }`, with the arguments that follow the state.
 *
 * Every method rejects with NOPROC when the agent is dead, with CALL_TIMEOUT when it takes longer than 5000 ms, unless
 * {@link attach} was told otherwise (the agent does not notice), with BAD_ENTRY for a closure that would have to leave its
 * thread, or a function that cannot be loaded, and with NOT_CLONEABLE for arguments or an answer that no message can carry.
 * The last two leave the state as it was.
 */
export class Agent<S> {
  readonly pid: Pid
  readonly #owner: Process
  readonly #options: CallOptions

  private constructor(owner: Process, pid: Pid, options: CallOptions) {
    this.#owner = owner
    this.pid = pid
    this.#options = options
  }

  /**
   * Starts an agent; resolves once `init` has made its state.
   * @throws BeamlineError ALREADY_REGISTERED; BAD_ENTRY for a closure that is to run elsewhere; NOPROC when `init` fails, or
   * cannot be loaded (`cause`); CALL_TIMEOUT when it takes longer than `timeout`
   */
  static async start<S>(
    by: ActorSystem | Process,
    init: ((...args: never[]) => S | Promise<S>) | Entry,
    { args = [], ...options }: AgentOptions = {},
  ): Promise<Agent<S>> {
    const owner = ownerOf(by)
    if (typeof init === 'function') {
      const make = behaviour((self) => agentOf(self, () => init(...(args as never[]))))
      return new Agent<S>(owner, await owner.spawn(make, undefined, { label: 'Agent', ...options }), {})
    }
    const start = startable(init, args, options)
    return new Agent<S>(owner, await owner.spawn(start.entry, start.args, start.options), {})
  }

  /**
   * How a supervisor starts an agent, linked: the `start` of a child. Give it a name, to {@link attach} by.
   * @throws BeamlineError BAD_ENTRY for what names no module
   */
  static child(init: Entry, { args = [], ...options }: AgentOptions = {}): Startable {
    return startable(init, args, { ...options, link: true })
  }

  /**
   * A handle for another process, on any thread, or with another `timeout` for its calls.
   * @throws BeamlineError NOPROC for a name that nobody has
   */
  static attach<S>(self: Process | ActorSystem, to: Pid | Name, options: CallOptions = {}): Agent<S> {
    const owner = ownerOf(self)
    return new Agent<S>(owner, owner.system.pidOf(to), options)
  }

  /** What `read` makes of the state. */
  async get<R, A extends readonly unknown[] = []>(read: AgentFunction<S, A, R>, ...args: A): Promise<R> {
    return (await this.#ask('get', read, args)) as R
  }

  /** Replaces the state by what `update` makes of it. */
  async update<A extends readonly unknown[] = []>(update: AgentFunction<S, A, S>, ...args: A): Promise<void> {
    await this.#ask('update', update, args)
  }

  /** The first of the two things that `update` makes of the state; the second replaces it. */
  async getAndUpdate<R, A extends readonly unknown[] = []>(
    update: AgentFunction<S, A, readonly [reply: R, state: S]>,
    ...args: A
  ): Promise<R> {
    return (await this.#ask('getAndUpdate', update, args)) as R
  }

  /**
   * As {@link update}, without an answer; nothing happens if the agent is dead. A function that it cannot load is a process
   * warning on its thread.
   * @throws BeamlineError BAD_ENTRY, NOT_CLONEABLE
   */
  cast<A extends readonly unknown[] = []>(update: AgentFunction<S, A, S>, ...args: A): void {
    const { task, closures } = this.#task('update', update, args)
    try {
      this.#owner.cast(this.pid, task)
    } catch (error) {
      this.#forget(task, closures)
      throw error
    }
  }

  /** Ends the agent once it has done what it was asked before; resolves when it is dead. */
  stop(reason: ExitReason = 'normal'): Promise<void> {
    return this.#owner.stop(this.pid, reason)
  }

  async #ask(kind: AgentTask['kind'], apply: AnyFunction | Entry, args: readonly unknown[]): Promise<unknown> {
    const { task, closures } = this.#task(kind, apply, args)
    try {
      return await this.#owner.call(this.pid, task, this.#options)
    } catch (error) {
      // It will be taken though nobody waits for it any more.
      const isLate = error instanceof BeamlineError && error.code === 'CALL_TIMEOUT'
      if (!isLate) this.#forget(task, closures)
      throw error
    }
  }

  #task(kind: AgentTask['kind'], apply: AnyFunction | Entry, args: readonly unknown[]) {
    if (typeof apply !== 'function') return { task: { kind, what: nameOf(apply), args }, closures: undefined }
    if (this.pid.thread !== this.#owner.pid.thread) throw elsewhere(this.pid)
    // A dead agent has none, and what a dead process asks goes nowhere: nobody would take the closure.
    const isAsked = this.#owner.system.isAlive(this.#owner.pid)
    const closures = isAsked ? closuresOf(this.#owner).get(this.pid.toString()) : undefined
    return { task: { kind, what: closures?.add(apply) ?? 0, args }, closures }
  }

  #forget({ what }: { readonly what: EntryName | number }, closures: Closures | undefined): void {
    if (typeof what === 'number') closures?.take(what)
  }
}

const startable = (init: Entry, args: readonly unknown[], options: SpawnOptions): Startable => ({
  entry: actor,
  args: { init: nameOf(init), args } satisfies AgentSource,
  options: { label: 'Agent', ...options },
})

function elsewhere(pid: Pid): BeamlineError {
  const text = `a closure cannot leave its thread for the agent ${pid}: put it in a module and give { module, export }`
  return new BeamlineError('BAD_ENTRY', text)
}
