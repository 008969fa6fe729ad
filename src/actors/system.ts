import { availableParallelism } from 'node:os'
import { BeamlineError, shown } from '../errors.js'
import { type Clock, realClock } from '../threads/clock.js'
import { Batch } from '../threads/link.js'
import { MAIN, Mesh } from '../threads/mesh.js'
import type { Pid } from '../threads/pid.js'
import { portCarrier } from '../threads/port-link.js'
import { RingCarrier } from '../threads/ring-carrier.js'
import { Roster } from '../threads/roster.js'
import type { Cell } from './cell.js'
import type { DeadLetterListener } from './dead-letters.js'
import { importModule } from './entry.js'
import { Host } from './host.js'
import { info, type ProcessInfo } from './inspect.js'
import { Ledger } from './ledger.js'
import { NameTable } from './names.js'
import type { CallOptions, Destination, Process } from './process.js'
import { ProcessTable } from './process-table.js'
import type { InitArgs, Server, ServerClass } from './server.js'
import type { ServerRef } from './server-ref.js'
import { shutdown } from './shutdown.js'
import type { Spawnable, SpawnOptions } from './spawner.js'
import { type SystemOptions, settingsOf, stopTimeout } from './system-options.js'
import { type ThreadInfo, ThreadKeeper } from './thread-keeper.js'
import type { Machinery } from './thread-table.js'
import { type Trace, type TraceListener, type TraceOptions, trace } from './trace.js'
import type { Name } from './via.js'
import { Watchdog } from './watchdog.js'

export type { SystemOptions } from './system-options.js'

/** What `system.stats` tells. */
export interface SystemStats {
  /** Processes that live, the library's own included. */
  readonly processes: number
  /** Messages that nobody took. */
  readonly deadLetters: number
  /** Answers to calls that came too late, or a second time, and were dropped. */
  readonly droppedReplies: number
  /** Signals that found the shared memory between two threads full, and went by a message port instead. */
  readonly spilled: number
}

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
    const cores = availableParallelism()
    const source = new ThreadPools(Math.min(options.threads ?? cores, cores) || 1)
    const { transport, polling, ringSize } = settingsOf(options)
    const carrier = transport === 'port' ? portCarrier : new RingCarrier({ polling, ringSize })
    const parts = { source, carrier, batch: new Batch(false) }
    return ActorSystem.assemble(options, { ...parts, clock: realClock, load: importModule })
  }

  /** @internal A system whose threads are made by `machinery`. */
  static async assemble(options: SystemOptions, machinery: Machinery): Promise<ActorSystem> {
    const { name, clock, threads, systemThreads, maxProcesses, stuckAfter, killGrace, spares } = settingsOf(options)
    const roster = Roster.create(threads, systemThreads)
    const processes = ProcessTable.create(name, maxProcesses)
    const names = NameTable.create(processes)
    const ledger = Ledger.create()
    const keeper = new ThreadKeeper(machinery, spares)
    const mesh = new Mesh(() => {})
    const host = new Host({
      thread: MAIN,
      processes,
      names,
      ledger,
      roster,
      clock,
      load: machinery.load,
      batch: machinery.batch,
      mesh,
      control: keeper,
    })
    const isAlive = (pid: Pid) => processes.isAlive(pid)
    const watchdog = new Watchdog(roster, { stuckAfter, killGrace }, isAlive, (...stuck) => keeper.stuck(...stuck))
    const ask = (timeout: number) => shutdown(host, timeout, machinery.clock, (cell) => cell === system.#shell)
    const end: Ending = async (timeout) => {
      watchdog.stop()
      await Promise.all([ask(timeout), keeper.stop(timeout)])
      host.close()
    }
    const system = new ActorSystem(host, end, keeper)
    keeper.onStop = () => void system.stop()
    const shared = {
      processes: processes.memory,
      names: names.memory,
      ledger: ledger.memory,
      roster: roster.memory,
      beat: watchdog.beat,
    }
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

  /** The time of the calling thread: what every wait of its processes goes by. */
  get clock(): Clock {
    return this.#host.clock
  }

  #openShell(process?: Process): Cell {
    const shell = this.#host.open({ parent: undefined, label: 'shell', limit: undefined, shell: true, process })
    shell.ties.onExit = () => {
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
  spawn<A>(what: Spawnable<A>, args?: A, options?: SpawnOptions): Promise<Pid> {
    try {
      return this.self.spawn(what, args, options)
    } catch (error) {
      return Promise.reject(error)
    }
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

  /**
   * Tells `listener`, on this thread, of every message that comes to a process and every one that it takes, and of its
   * exit, as copies; wherever the process is. Ends with the process, after `limit` messages, when the listener throws, or
   * when this thread ends. A process that nobody traces pays nothing. Mirrors `:sys.trace/2`.
   * @throws BeamlineError NOPROC; INVALID_TYPE; CALL_TIMEOUT when the thread of the process does not answer in 5000 ms
   */
  trace(to: Destination, listener: TraceListener, options: TraceOptions = {}): Promise<Trace> {
    return trace(this.#host, to, listener, options)
  }

  /**
   * Hears of every message that nobody took, on any thread: its process was dead, its mailbox full, or its alias no longer
   * active. What the listener throws is warned of. It hears until the system stops, or its thread ends.
   * @returns what removes the listener
   * @throws BeamlineError INVALID_TYPE for another event, or a listener that is no function; STOPPED
   */
  on(event: 'deadLetter', listener: DeadLetterListener): () => void {
    this.#host.assertOpen()
    if (event !== 'deadLetter')
      throw new BeamlineError('INVALID_TYPE', `${shown(event)} is no event: give 'deadLetter'`)
    if (typeof listener === 'function') return this.#host.deadLetters.listen(listener)
    throw new BeamlineError('INVALID_TYPE', `${shown(listener)} is no listener: give a function`)
  }

  /** What all threads have counted since the start; asks none of them. */
  stats(): SystemStats {
    const { ledger, processes } = this.#host
    return {
      processes: processes.living,
      deadLetters: ledger.total('deadLetters'),
      droppedReplies: ledger.total('droppedReplies'),
      spilled: ledger.total('spilled'),
    }
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
      this.#stopping ??= this.#end(stopTimeout(timeout))
      return this.#stopping
    } catch (error) {
      return Promise.reject(error)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
