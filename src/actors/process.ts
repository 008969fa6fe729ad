import { BeamlineError, shown } from '../errors.js'
import type { Transfer } from '../threads/payload.js'
import { Alias, Pid, type Ref } from '../threads/pid.js'
import type { Cell } from './cell.js'
import type { ExitReason } from './exit-reason.js'
import type { Host } from './host.js'
import type { From } from './messages.js'
import type { InitArgs, Server, ServerClass } from './server.js'
import { type ServerRef, serverRef } from './server-ref.js'
import type { Spawnable, SpawnOptions } from './spawner.js'
import type { ActorSystem } from './system.js'
import type { TimerRef } from './timers.js'
import type { Name } from './via.js'
import type { Match } from './waiters.js'

/**
 * Where a message may go: a process, a registered name, a key of a registry, or anything that has a pid, such as a server
 * reference.
 */
export type Destination = Pid | Name | { readonly pid: Pid }

export interface CallOptions {
  /** Milliseconds to wait for the answer, 5000 unless told; `Infinity` waits for ever. */
  readonly timeout?: number
}

/**
 * What a process is to the code that runs in it. Every effect of a process goes through its own `Process`, so that it
 * ends with it: what a dead process still tries to send goes nowhere.
 */
export class Process {
  #cell: Cell

  /** @internal Processes are made by `spawn`. */
  constructor(cell: Cell) {
    this.#cell = cell
  }

  get pid(): Pid {
    return this.#cell.pid
  }

  /** The process that spawned this one. */
  get parent(): Pid | undefined {
    return this.#cell.birth.parent
  }

  /** The system this process lives in, as seen from its thread. */
  get system(): ActorSystem {
    return this.#cell.host.system
  }

  /** Aborts when the process exits, with the exit reason: for `fetch`, timers and streams. */
  get signal(): AbortSignal {
    const { ties, alive } = this.#cell
    if (ties.abort === undefined) {
      ties.abort = new AbortController()
      if (!alive) ties.abort.abort('noproc')
    }
    return ties.abort.signal
  }

  /** Whether exit signals arrive as `EXIT` messages; `kill` is never trapped. Mirrors `Process.flag(:trap_exit, …)`. */
  get trapExit(): boolean {
    return this.#cell.trapExit
  }

  set trapExit(value: boolean) {
    this.#cell.ties.trapExit = value
  }

  /**
   * Sends a copy of `message`; never waits, and never fails for a dead process. Mirrors `send/2`.
   * @throws BeamlineError NOPROC for a name that nobody has, NOT_CLONEABLE for a message that cannot be copied
   */
  send(to: Destination | Alias, message: unknown, options: { readonly transfer?: Transfer } = {}): void {
    if (to instanceof Alias) return toAlias(this.#cell, to, message, false, options.transfer)
    this.#cell.host.router.message(this.#cell, this.#cell.host.resolve(to), message, false, options.transfer)
  }

  /** Sends a server a request that wants no answer. Never fails for the dead or nameless. Mirrors `GenServer.cast/2`. */
  cast(to: Destination | Alias, request: unknown, options: { readonly transfer?: Transfer } = {}): void {
    if (to instanceof Alias) return toAlias(this.#cell, to, request, true, options.transfer)
    const pid = this.#cell.host.resolve(to, 'quiet')
    if (pid !== undefined) this.#cell.host.router.message(this.#cell, pid, request, true, options.transfer)
  }

  /**
   * The first message that `match` accepts, in order of arrival; the others stay. Without `match`: the oldest.
   * Mirrors `receive`, and `after` by `timeout` (milliseconds, for ever unless told; 0 looks at the mailbox once).
   * @throws BeamlineError CALL_TIMEOUT when no message came in time
   */
  receive<M = unknown>(
    match?: ((message: unknown) => message is M) | ((message: unknown) => boolean),
    { timeout = Number.POSITIVE_INFINITY }: { readonly timeout?: number } = {},
  ): Promise<M> {
    const cell = this.#cell
    const { scheduler } = cell.host
    return new Promise((resolve: (message: never) => void) => {
      if (scheduler.admits()) take(cell, match, timeout, resolve)
      else scheduler.postpone(() => take(cell, match, timeout, resolve))
    })
  }

  /** The messages as they come, for `for await`. */
  messages(): AsyncIterableIterator<unknown, undefined> {
    const next = () => this.receive().then((value) => ({ done: false as const, value }))
    const iterator: AsyncIterableIterator<unknown, undefined> = { next, [Symbol.asyncIterator]: () => iterator }
    return iterator
  }

  /** Ties two processes: when one exits for another reason than `normal`, so does the other. Mirrors `Process.link/1`. */
  link(pid: Pid): void {
    this.#cell.host.router.link(this.#cell, pid)
  }

  /** Unties them: after this, no exit signal of that link arrives. */
  unlink(pid: Pid): void {
    this.#cell.host.router.unlink(this.#cell, pid)
  }

  /** Asks for one `{ type: 'DOWN', ref, pid, reason }` when the process is gone; at once if it is. */
  monitor(target: Destination): Ref {
    return this.#cell.host.router.monitor(this.#cell, target)
  }

  /** Ends a monitor; `flush` also takes its `DOWN` out of the mailbox. Harmless when repeated. */
  demonitor(ref: Ref, options: { readonly flush?: boolean } = {}): void {
    this.#cell.host.router.demonitor(this.#cell, ref, options.flush ?? false)
  }

  /** Sends an exit signal; `kill` cannot be refused. Mirrors `Process.exit/2`. */
  exit(pid: Pid, reason: ExitReason): void {
    this.#cell.host.router.exit(this.#cell.pid, pid, reason, false)
  }

  /** Sends `message` after `ms` milliseconds; the timer outlives this process. A name is looked up when it is time. */
  sendAfter(to: Destination, message: unknown, ms: number): TimerRef {
    return this.#cell.host.timers.start(this.#cell, to, message, ms)
  }

  /** Ends a timer. @returns the milliseconds that were left, or `false` when it had fired or was cancelled before */
  cancelTimer(ref: TimerRef): number | false {
    return this.#cell.host.timers.cancel(ref)
  }

  /**
   * Asks a process and waits for its answer. A server answers by what its method returns, a plain process by
   * {@link reply} to the `CALL` message it receives.
   * @throws BeamlineError CALL_TIMEOUT; NOPROC when the process is dead, dies before it answers (`details.reason`), or is
   * the calling process itself
   */
  call(to: Destination, request: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#cell.host.router.call(this.#cell, to, request, options.timeout ?? 5000)
  }

  /**
   * Asks a process to end with `reason` and resolves once it is dead. A server does so in its turn, after its `terminate`;
   * a process function at once. Mirrors `GenServer.stop/3`.
   * @param options.timeout milliseconds to wait, `Infinity` unless told
   * @throws BeamlineError NOPROC when it is dead already, ends for another reason (`details.reason`), or is this process
   * itself; CALL_TIMEOUT
   */
  stop(
    to: Destination,
    reason: ExitReason = 'normal',
    { timeout = Number.POSITIVE_INFINITY }: CallOptions = {},
  ): Promise<void> {
    return this.#cell.host.router.stop(this.#cell, to, reason, timeout)
  }

  /** Answers a call; only the first answer counts, and one for a caller that has gone is dropped. */
  reply(from: From, value: unknown): void {
    this.#cell.host.router.reply(this.#cell, from, 'value', value)
  }

  /** Refuses a call: the caller's promise is rejected with `error`, and nobody dies. */
  replyError(from: From, error: BeamlineError): void {
    this.#cell.host.router.reply(this.#cell, from, 'error', error)
  }

  /**
   * Starts a process with this one as its parent: a closure on this thread, or a module's export on any.
   * @throws BeamlineError BAD_ENTRY, ALREADY_REGISTERED, NOT_CLONEABLE
   */
  spawn<A>(what: Spawnable<A>, args?: A, options: SpawnOptions = {}): Promise<Pid> {
    return this.#cell.host.spawner.spawn(this.#cell, what as Spawnable<unknown>, args, options)
  }

  /** Starts a {@link Server} with this process as its parent; resolves once its `init` is done. */
  async start<S extends Server<never>>(
    type: ServerClass<S>,
    args: InitArgs<S>,
    options: SpawnOptions = {},
  ): Promise<ServerRef<S>> {
    const pid = await this.#cell.host.spawner.start(this.#cell, type, args, options)
    return serverRef<S>(this, pid)
  }

  /**
   * Gives this process a name, or a key of a registry, beside those it has. Mirrors `Process.register/2`.
   * @throws BeamlineError ALREADY_REGISTERED while another live process has it
   */
  async register(name: Name): Promise<void> {
    this.#cell.host.assertRunning()
    if (!this.#cell.alive) return this.#cell.over()
    return this.#cell.own(this.#cell.host.naming.register(this.#cell, name))
  }

  /**
   * Takes a name, or a key of a registry, from this process; it is free when the promise resolves. Mirrors
   * `Process.unregister/1`.
   * @throws BeamlineError NOPROC for a name that this process does not have, INVALID_TYPE for what is no name
   */
  async unregister(name: Name): Promise<void> {
    this.#cell.host.assertRunning()
    if (!this.#cell.alive) return this.#cell.over()
    return this.#cell.own(this.#cell.host.naming.unregister(this.#cell, name))
  }

  /**
   * An address of this process for `send` and `cast` that {@link unalias} closes: what comes to it later is dropped before
   * the mailbox, as a dead letter. Mirrors `:erlang.alias/1`.
   * @param options.once closes it with its first message; false unless told
   */
  alias({ once = false }: { readonly once?: boolean } = {}): Alias {
    const { serial } = this.#cell.host.ref()
    const { node, thread, slot, generation } = this.pid
    if (this.#cell.alive) this.#cell.ties.aliases.open(serial, once)
    return new Alias(node, thread, slot, generation, serial)
  }

  /** Closes an alias of this process. Mirrors `:erlang.unalias/1`. @returns whether it was open */
  unalias(alias: Alias): boolean {
    const { node, thread, slot, generation } = alias
    const own = this.pid.equals(new Pid(node, thread, slot, generation))
    return own && this.#cell.ties.aliases.close(alias.serial)
  }

  /** A new unique reference, as `make_ref/0`. */
  ref(): Ref {
    return this.#cell.host.ref()
  }

  /** @internal */
  static abort(cell: Cell, reason: ExitReason): void {
    if (cell.process.#cell === cell) cell.tied?.abort?.abort(reason)
  }

  /** @internal The process of a shell goes on as another one: the code that holds it has not ended. */
  static revive(process: Process, cell: Cell): Process {
    const before = process.#cell.tied?.abort
    process.#cell = cell
    // Where the death has not been announced yet. Not at once: who hears of it must find the new process made.
    queueMicrotask(() => before?.abort('noproc'))
    return process
  }

  /** @internal */
  static cellOf(process: Process): Cell {
    return process.#cell
  }

  /** @internal */
  static hostOf(process: Process): Host {
    return process.#cell.host
  }
}

function toAlias(sender: Cell, to: Alias, message: unknown, cast: boolean, transfer: Transfer | undefined): void {
  const pid = new Pid(to.node, to.thread, to.slot, to.generation)
  sender.host.router.message(sender, pid, message, cast, transfer, to.serial)
}

function take(cell: Cell, match: Match, timeout: number, resolve: (message: never) => void): void {
  const { host } = cell
  try {
    host.assertOpen()
    if (!cell.alive) return resolve(cell.over() as never)
    host.running(cell)
    cell.inbox.wait(match, timeout, host.clock, resolve as (message: unknown) => void)
  } catch (error) {
    resolve(Promise.reject(error) as never)
  }
}

/** The pid in a destination that names a process by value. */
export function pidIn(to: unknown): Pid | undefined {
  if (to instanceof Pid) return to
  const pid = typeof to === 'object' || typeof to === 'function' ? (to as { pid?: unknown } | null)?.pid : undefined
  return pid instanceof Pid ? pid : undefined
}

/** The refusal of something that is neither pid nor name. */
export function badDestination(to: unknown): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `${shown(to)} is no destination: give a Pid or a registered name`)
}
