import { BeamlineError, shown } from '../../errors.js'
import { copy, type Transfer } from '../../threads/payload.js'
import type { Pid } from '../../threads/pid.js'
import { exited, timedOut } from '../calls.js'
import type { Cell } from '../cell.js'
import { type Entry, nameOf } from '../entry.js'
import { type ExitReason, reasonFrom } from '../exit-reason.js'
import type { Host } from '../host.js'
import { ownerOf } from '../owner.js'
import { Process } from '../process.js'
import type { ActorSystem } from '../system.js'
import { jobData } from './job.js'
import { perform } from './job-actor.js'
import { Moved } from './moved.js'
import { checkTimeout, type Outcome } from './outcome.js'
import { type StreamOptions, taskStream } from './task-stream.js'

/**
 * What a task does: a closure, in a process of its own on its owner's thread, or an exported function, on one of the
 * threads that a system keeps for work that keeps a core busy. The closure is also given its process.
 */
export type TaskWork<A, R> = ((args: A, self: Process) => R | Promise<R>) | Entry

export interface TaskOptions {
  /** Ends the task when it aborts, wherever the task is; its owner lives on. */
  readonly signal?: AbortSignal
  /** For an exported function: what of the arguments is moved to it instead of copied, as in `postMessage`. */
  readonly transfer?: Transfer
  /** Whether the task's crash is its owner's too; true. */
  readonly link?: boolean
  /** Registers the task's process; a name that is taken ends the task. */
  readonly name?: string
  /** What `info` calls the task's process; `Task` and the name of its function unless told. */
  readonly label?: string
}

/**
 * A piece of work that is done while its owner does something else, and whose result the owner takes. Mirrors Elixir's
 * `Task`.
 *
 * ```ts
 * const sum = Task.async(self, { module: new URL('./sum.js', import.meta.url), export: 'sum' }, numbers)
 * const text = Task.async(self, async () => (await fetch(url)).text())
 * console.log(await sum.await(), await text.await({ timeout: 30_000 }))
 * ```
 *
 * A task is a process, linked to its owner: when one of them crashes, so does the other. An exported function runs on one
 * of as many threads as the system has, and the machine has cores; up to 1024 more wait for one, and the next ends with
 * OVERFLOW. It is given up, running or waiting, when its process ends, and when its owner ends, for whatever reason.
 *
 * A task belongs to its owner. It cannot be sent to another process (NOT_CLONEABLE); what a dead owner awaits never
 * settles. Results are copied, as messages are, unless {@link Task.move} says otherwise.
 */
export class Task<R> {
  /** The task's process. */
  readonly pid: Pid
  /** @internal What became of it; never rejects. As no promise can be cloned, no task can be sent. */
  readonly done: Promise<Outcome<R>>
  readonly #host: Host
  readonly #owner: Cell
  readonly #cell: Cell
  readonly #what: string

  private constructor(host: Host, owner: Cell, cell: Cell) {
    this.#host = host
    this.#owner = owner
    this.#cell = cell
    this.pid = cell.pid
    this.#what = `the task ${cell.birth.label}`
    this.done = new Promise((resolve) => {
      cell.ties.onExit = (exit) => resolve(this.#result === undefined ? { exit } : { value: this.#result.value as R })
    })
  }

  #result: { readonly value: unknown } | undefined

  /**
   * Begins a task that belongs to `by`, or to the process of the calling thread. It runs in the next turn.
   * @throws BeamlineError BAD_ENTRY for work that is neither a closure nor names a module's export; NOT_CLONEABLE for
   * arguments that cannot be sent; INVALID_TYPE for another option out of its range; STOPPED after `stop`. A function that
   * cannot be loaded ends the task with BAD_ENTRY.
   */
  static async<R, A = undefined>(
    by: ActorSystem | Process,
    work: TaskWork<A, R>,
    args?: A,
    { signal, transfer = [], link = true, name, label = labelOf(work) }: TaskOptions = {},
  ): Task<R> {
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new BeamlineError('INVALID_TYPE', `Task.async: signal is ${shown(signal)}: give an AbortSignal`)
    const process = ownerOf(by)
    const host = Process.hostOf(process)
    const job = typeof work === 'function' ? undefined : jobData(nameOf(work), args, transfer)
    const owner = Process.cellOf(process)
    const cell = host.open({ parent: owner.pid, label, limit: undefined })
    const task = new Task<R>(host, owner, cell)
    if (link) task.#link()
    if (job !== undefined && link) follow(owner.process.signal, cell, () => cell.exit('shutdown'))
    if (signal !== undefined) follow(signal, cell, () => task.#cancel(signal.reason))
    cell.run(async (self) => {
      if (name !== undefined) await self.register(name)
      const result =
        job === undefined ? Moved.of(await (work as Closure<A, R>)(args as A, self)) : await perform(self, job)
      // What a job has returned was copied on its way.
      task.#result = { value: job === undefined ? copyOf(result) : result.value }
    }, undefined)
    return task
  }

  /**
   * As {@link async}, but a crash of the task is no crash of its owner, nor the other way round. Mirrors
   * `Task.Supervisor.async_nolink`.
   */
  static asyncNolink<R, A = undefined>(
    by: ActorSystem | Process,
    work: TaskWork<A, R>,
    args?: A,
    options: Omit<TaskOptions, 'link'> = {},
  ): Task<R> {
    return Task.async(by, work, args, { ...options, link: false })
  }

  /**
   * Runs `work` on each item in a task of its own, at most `maxConcurrency` at a time, and gives what became of them, in
   * the order of the items unless told. Items are taken when there is room for their tasks, and only while somebody waits
   * for the next result. To end early ends what still runs. Mirrors `Task.async_stream`.
   *
   * The iteration throws CALL_TIMEOUT for a task that takes too long, unless `onTimeout` is `kill_task`, and the signal's
   * reason once that aborts.
   * @throws BeamlineError INVALID_TYPE for an option out of its range
   */
  static asyncStream<R, A>(
    by: ActorSystem | Process,
    items: Iterable<A> | AsyncIterable<A>,
    work: TaskWork<A, R>,
    options: StreamOptions = {},
  ): AsyncGenerator<Outcome<R>, void, undefined> {
    const { link = true } = options
    const owner = ownerOf(by)
    return taskStream(owner, items, (item) => Task.async<R, A>(owner, work, item, { link }), options)
  }

  /** The result of a task which moves what is in `transfer` to the owner instead of copying it. */
  static move<T>(value: T, transfer: Transfer): T {
    return new Moved(value, transfer) as T
  }

  /**
   * The result. Mirrors `Task.await/2`.
   * @throws BeamlineError CALL_TIMEOUT after `timeout` milliseconds, 5000 unless told: the task goes on, and ends with its
   * owner if that does not catch this; NOPROC when the task ended without a result (`cause`, `details.reason`), if its
   * owner is still there to hear of it
   */
  async await({ timeout = 5000 }: { readonly timeout?: number } = {}): Promise<R> {
    const outcome = await this.yield({ timeout })
    if (outcome === undefined) throw timedOut(this.#what, timeout)
    if ('value' in outcome) return outcome.value
    this.#host.assertRunning()
    throw exited(this.#what, outcome.exit)
  }

  /**
   * What became of the task, or undefined when that is not known after `timeout` milliseconds, 5000 unless told. May be
   * asked again. Mirrors `Task.yield/2`.
   */
  async yield({ timeout = 5000 }: { readonly timeout?: number } = {}): Promise<Outcome<R> | undefined> {
    const { clock } = this.#host
    if (checkTimeout('Task.yield', timeout) === Number.POSITIVE_INFINITY) return this.#owner.own(this.done)
    let expire = () => {}
    const late = new Promise<undefined>((resolve) => {
      expire = () => resolve(undefined)
    })
    const timer = clock.setTimeout(expire, timeout)
    void this.done.then(() => clock.clearTimeout(timer))
    return this.#owner.own(Promise.race([this.done, late]))
  }

  /**
   * Ends the task, and its owner lives on: sends it `shutdown`, and kills it when it has trapped that and is not done
   * within `how` milliseconds, 5000 unless told, or kills it at once. Answers as {@link yield} when the task has ended by
   * itself, now or before; undefined when this ended it. Mirrors `Task.shutdown/2`.
   * @throws BeamlineError INVALID_TYPE for what is neither milliseconds nor `brutal_kill`
   */
  async shutdown(how: number | 'brutal_kill' = 5000): Promise<Outcome<R> | undefined> {
    const timeout = how === 'brutal_kill' ? 0 : checkTimeout('Task.shutdown', how)
    this.#unlink()
    const self = this.#owner.process
    self.exit(this.pid, how === 'brutal_kill' ? 'kill' : 'shutdown')
    if ((await this.yield({ timeout })) === undefined) self.exit(this.pid, 'kill')
    const outcome = await this.#owner.own(this.done)
    const byThis = 'exit' in outcome && (outcome.exit === 'shutdown' || outcome.exit === 'killed')
    return byThis ? undefined : outcome
  }

  #link(): void {
    const { pid } = this.#owner
    if (!this.#owner.alive) return this.#cell.exit('noproc')
    this.#owner.ties.links.set(this.pid.toString(), this.pid)
    this.#cell.ties.links.set(pid.toString(), pid)
  }

  #unlink(): void {
    this.#owner.ties.links.delete(this.pid.toString())
    this.#cell.ties.links.delete(this.#owner.pid.toString())
  }

  #cancel(reason: unknown): void {
    this.#unlink()
    this.#cell.exit(reasonFrom(reason) as ExitReason)
  }
}

type Closure<A, R> = (args: A, self: Process) => R | Promise<R>

function labelOf<A, R>(work: TaskWork<A, R>): string {
  const name = typeof work === 'function' ? work.name : work?.export
  return name ? `Task ${name}` : 'Task'
}

function copyOf({ value, transfer }: Moved): unknown {
  return transfer.length === 0 ? copy(value) : copy(value, transfer)
}

/** Ends a task when `signal` aborts, once all links have been told. */
function follow(signal: AbortSignal, cell: Cell, end: () => void): void {
  const aborted = () => queueMicrotask(() => cell.alive && end())
  if (signal.aborted) return aborted()
  signal.addEventListener('abort', aborted, { once: true, signal: cell.process.signal })
}
