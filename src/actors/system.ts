import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { BeamlineError, shown } from '../errors.js'
import { type Clock, realClock } from '../threads/clock.js'
import { Batch } from '../threads/link.js'
import { MAIN, Mesh } from '../threads/mesh.js'
import type { Pid } from '../threads/pid.js'
import { portCarrier } from '../threads/port-link.js'
import { Roster } from '../threads/roster.js'
import type { Cell } from './cell.js'
import { Host } from './host.js'
import { info, type ProcessInfo } from './inspect.js'
import { NameTable } from './names.js'
import type { CallOptions, Destination, Process } from './process.js'
import { ProcessTable } from './process-table.js'
import type { InitArgs, Server, ServerClass } from './server.js'
import type { ServerRef } from './server-ref.js'
import { shutdown } from './shutdown.js'
import type { Spawnable, SpawnOptions } from './spawner.js'
import { type Machinery, type ThreadInfo, ThreadKeeper } from './thread-keeper.js'
import type { Name } from './via.js'
import { Watchdog } from './watchdog.js'

export interface SystemOptions {
  /** Part of every pid's text; made up unless told. */
  readonly name?: string
  /** Worker threads that share out the processes; as many as the machine has cores unless told. */
  readonly threads?: number
  /** Worker threads for the library's own actors, such as contexts, which run no user's process unless asked to; 1. */
  readonly systemThreads?: number
  /** The most processes that live at one time; 1,048,576. */
  readonly maxProcesses?: number
  /** Milliseconds without a turn of its event loop after which a shared thread is ended; 3000. `Infinity`: never. */
  readonly stuckAfter?: number
  /** The same for a thread with a process that was told to die by `kill`; 1000. */
  readonly killGrace?: number
  /**
   * Worker threads kept warm for the next isolated processes: each is booted and has loaded the modules that isolated
   * processes were spawned from lately, so that what a module does while it loads also happens in threads that wait.
   * Unless told: none until the first isolated spawn, then 2. A given number is kept from the start; 0 keeps none. A
   * process with `resourceLimits` always has a fresh thread.
   */
  readonly spares?: number
  /** The time of the main thread; the real time unless told. */
  readonly clock?: Clock
}

const MOST_THREADS = 1024
const MOST_PROCESSES = 1 << 28
/** Milliseconds, 24 days: about what a timer can wait. */
const LONGEST_STOP = 24 * 24 * 3_600_000

/** How a system stops its threads and gives way. */
type Ending = (timeout: number) => Promise<void>

/**
 * A system of processes on worker threads. The thread that starts it is its main thread; inside a process on another
 * thread, `self.system` is the same system as seen from there.
 */
export class ActorSystem implements AsyncDisposable {
  readonly #host: Host
  readonly #end: Ending
  readonly #keeper: ThreadKeeper | undefined
  #shell: Cell | undefined
  #stopping: Promise<void> | undefined

  /** @internal Systems are made by {@link start}. */
  constructor(host: Host, end: Ending, keeper?: ThreadKeeper) {
    this.#host = host
    this.#end = end
    this.#keeper = keeper
    host.system = this
  }

  /**
   * Starts the worker threads; resolves when all of them run.
   * @throws BeamlineError INVALID_TYPE for an option out of its range, UNAVAILABLE when a thread cannot start
   */
  static async start(options: SystemOptions = {}): Promise<ActorSystem> {
    // Not before: every worker thread loads this module, and none of them needs Piscina, which takes 30 ms to load.
    const { ThreadPools } = await import('../threads/pools.js')
    const batch = new Batch(false)
    return ActorSystem.assemble(options, { source: new ThreadPools(), carrier: portCarrier, batch })
  }

  /** @internal A system whose threads are made by `machinery`. */
  static async assemble(options: SystemOptions, machinery: Machinery): Promise<ActorSystem> {
    const { clock = realClock } = options
    const stuckAfter = within('start: stuckAfter', options.stuckAfter ?? 3000, 1, Number.POSITIVE_INFINITY)
    const killGrace = within('start: killGrace', options.killGrace ?? 1000, 1, Number.POSITIVE_INFINITY)
    const threads = whole('threads', options.threads ?? availableParallelism(), MOST_THREADS)
    const roster = Roster.create(threads, whole('systemThreads', options.systemThreads ?? 1, MOST_THREADS))
    const spares = options.spares === undefined ? undefined : whole('spares', options.spares, MOST_THREADS, 0)
    const node = options.name ?? `beamline-${randomBytes(3).toString('hex')}`
    const processes = ProcessTable.create(node, whole('maxProcesses', options.maxProcesses ?? 1 << 20, MOST_PROCESSES))
    const names = NameTable.create(processes)
    const keeper = new ThreadKeeper(machinery, spares)
    const mesh = new Mesh(() => {})
    const host = new Host({
      thread: MAIN,
      place: undefined,
      processes,
      names,
      roster,
      clock,
      batch: machinery.batch,
      mesh,
      control: keeper,
    })
    const isAlive = (pid: Pid) => processes.isAlive(pid)
    const watchdog = new Watchdog(roster, { stuckAfter, killGrace }, isAlive, (...stuck) => keeper.stuck(...stuck))
    const end: Ending = async (timeout) => {
      watchdog.stop()
      await Promise.all([shutdown(host, timeout, (cell) => cell === system.#shell), keeper.stop(timeout)])
      host.close()
    }
    const system = new ActorSystem(host, end, keeper)
    keeper.onStop = () => void system.stop()
    const shared = { processes: processes.memory, names: names.memory, roster: roster.memory, beat: watchdog.beat }
    try {
      await keeper.start(host, watchdog, shared)
    } catch (error) {
      await system.stop({ timeout: 0 })
      throw error
    }
    watchdog.start()
    return system
  }

  /**
   * The calling thread's own process, as a shell has one in Elixir. Should it die, what it waits for is rejected with
   * NOPROC, and it goes on as a new process, with a pid of its own.
   */
  get self(): Process {
    const shell = this.#shell?.alive ? this.#shell : this.#openShell(this.#shell?.process)
    return shell.process
  }

  #openShell(process?: Process): Cell {
    const shell = this.#host.open({ parent: undefined, label: 'shell', limit: undefined, shell: true, process })
    shell.onExit = () => {
      // Whoever heard of the death before may have opened the next one; where there is no room now, `self` tries again.
      if (this.#host.stopping || this.#shell !== shell) return
      try {
        this.#openShell(shell.process)
      } catch (error) {
        if (!(error instanceof BeamlineError && error.code === 'OVERFLOW')) throw error
      }
    }
    this.#shell = shell
    return shell
  }

  /** As {@link Process.spawn}, by {@link self}. */
  async spawn<A>(what: Spawnable<A>, args?: A, options: SpawnOptions = {}): Promise<Pid> {
    return this.self.spawn(what, args, options)
  }

  /** As {@link Process.start}, by {@link self}: calls through the reference are made by it too. */
  async start<S extends Server<never>>(
    type: ServerClass<S>,
    args: InitArgs<S>,
    options: SpawnOptions = {},
  ): Promise<ServerRef<S>> {
    return this.self.start(type, args, options)
  }

  /** The live process with this name, or key of a registry, if any; asks no other thread. */
  whereis(name: Name): Pid | undefined {
    return this.#host.resolve(name, 'quiet')
  }

  /** Whether a process lives; false for certain once its `DOWN` was seen. Asks no other thread. */
  isAlive(pid: Pid): boolean {
    return pid.node === this.#host.node && this.#host.processes.isAlive(pid)
  }

  /** The facts about a live process, from its own thread; undefined for a dead one. */
  info(pid: Pid): Promise<ProcessInfo | undefined> {
    return info(this.#host, pid)
  }

  /**
   * Lets a process take nothing more from its mailbox until {@link resume}; what comes meanwhile waits, in order. A server
   * is suspended between two messages, in the order of its mailbox; a process function in its `receive`. Exit signals end
   * a suspended process too. Mirrors `:sys.suspend/2`.
   * @param options.timeout milliseconds to wait until it is suspended, 5000 unless told
   * @throws BeamlineError NOPROC, CALL_TIMEOUT
   */
  async suspend(to: Destination, { timeout = 5000 }: CallOptions = {}): Promise<void> {
    await this.#host.router.system(to, { op: 'suspend' }, timeout)
  }

  /** Lets a suspended process go on. Mirrors `:sys.resume/2`. @throws BeamlineError NOPROC, CALL_TIMEOUT */
  async resume(to: Destination, { timeout = 5000 }: CallOptions = {}): Promise<void> {
    await this.#host.router.system(to, { op: 'resume' }, timeout)
  }

  /**
   * A copy of a server's state, between two messages: of its public fields, or what its `systemGetState` tells. Mirrors
   * `:sys.get_state/2`.
   * @throws BeamlineError NOPROC, CALL_TIMEOUT; INVALID_TYPE for a process that is no server; NOT_CLONEABLE
   */
  getState(to: Destination, { timeout = 5000 }: CallOptions = {}): Promise<unknown> {
    return this.#host.router.system(to, { op: 'getState' }, timeout)
  }

  /**
   * Gives a server another state, between two messages: sets its public fields, or calls its `systemReplaceState`. Mirrors
   * `:sys.replace_state/3`.
   * @throws BeamlineError NOPROC, CALL_TIMEOUT; INVALID_TYPE for what is no state of it
   */
  async replaceState(to: Destination, state: unknown, { timeout = 5000 }: CallOptions = {}): Promise<void> {
    await this.#host.router.system(to, { op: 'replaceState', state }, timeout)
  }

  /** @internal @throws BeamlineError STOPPED after `stop` */
  assertOpen(): void {
    this.#host.assertOpen()
  }

  /** Every live process of every thread, the library's own included. */
  processes(): Pid[] {
    return this.#host.processes.list()
  }

  /** The worker threads that run now. Known on the main thread only; empty elsewhere. */
  threads(): ThreadInfo[] {
    return this.#keeper?.list() ?? []
  }

  /** @throws BeamlineError NOPROC for a name that nobody has */
  pidOf(to: Destination): Pid {
    return this.#host.resolve(to)
  }

  /**
   * Stops every process and thread: asks each process to end with `shutdown`, kills what is left after `timeout`
   * milliseconds (5000 unless told), and leaves nothing that would keep the program alive. What still waits is rejected
   * with STOPPED. Inside another thread it asks main to do so.
   * @throws BeamlineError INVALID_TYPE for a timeout that is no number of milliseconds; the system runs on then
   */
  stop({ timeout = 5000 }: { readonly timeout?: number } = {}): Promise<void> {
    try {
      const patience = Math.min(within('stop: timeout', timeout, 0, Number.POSITIVE_INFINITY), LONGEST_STOP)
      this.#stopping ??= this.#end(patience)
      return this.#stopping
    } catch (error) {
      return Promise.reject(error)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function whole(option: string, value: number, most: number, least = 1): number {
  if (Number.isInteger(value)) return within(`start: ${option}`, value, least, most)
  throw new BeamlineError('INVALID_TYPE', `ActorSystem.start: ${option} is ${shown(value)}: give a whole number`)
}

function within(option: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  const text = `ActorSystem.${option} is ${shown(value)}: give a number from ${least} to ${most}`
  throw new BeamlineError('INVALID_TYPE', text)
}
