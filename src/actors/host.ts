import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import type { Batch, LinkEvents } from '../threads/link.js'
import type { Mesh } from '../threads/mesh.js'
import { Pid, Ref } from '../threads/pid.js'
import type { Roster } from '../threads/roster.js'
import type { Signal, ThreadSignal } from '../threads/signal.js'
import { ANSWER, type Wire } from '../threads/wire.js'
import type { BehaviourFn } from './behaviour.js'
import type { Birth } from './birth.js'
import { Calls, shellEnded } from './calls.js'
import { Cell } from './cell.js'
import { CellTable } from './cell-table.js'
import { DeadLetters } from './dead-letters.js'
import type { Loader } from './entry.js'
import { type ExitReason, sendable } from './exit-reason.js'
import { Graves } from './graves.js'
import type { HostParts, ThreadControl } from './host-parts.js'
import type { Ledger } from './ledger.js'
import { Deferred } from './messages.js'
import type { NameTable } from './names.js'
import { Naming } from './naming.js'
import { type Destination, Process } from './process.js'
import type { ProcessTable } from './process-table.js'
import { Receiver } from './receiver.js'
import { Router } from './router.js'
import { Scheduler } from './scheduler.js'
import { Spawner } from './spawner.js'
import type { ActorSystem } from './system.js'
import { untie } from './ties.js'
import { Timers } from './timers.js'
import { Wires } from './wires.js'

/** All processes of one thread, and what they share: the kernel that every other part of this layer is a part of. */
export class Host implements LinkEvents {
  readonly thread: number
  readonly node: string
  readonly clock: Clock
  readonly load: Loader
  readonly batch: Batch
  readonly mesh: Mesh
  readonly placement: Roster
  readonly processes: ProcessTable
  readonly control: ThreadControl
  readonly names: NameTable
  readonly naming: Naming
  readonly ledger: Ledger
  readonly deadLetters = new DeadLetters(this)
  readonly scheduler = new Scheduler()
  readonly calls: Calls
  readonly router = new Router(this)
  readonly wires = new Wires(this)
  readonly spawner: Spawner
  readonly timers = new Timers(this)
  readonly cells = new CellTable()
  /** The place of this thread in the roster; undefined on main, on isolated threads, and on one that waits for a place. */
  place: number | undefined
  /** Set once, by the system that this host belongs to. */
  system!: ActorSystem
  /** Hears of every process of this thread that is gone, and of a spawn that failed. */
  onGone: ((pid: Pid | undefined, reason: ExitReason) => void) | undefined
  /** Hears what a process is made of that another thread had asked for, once it is ready. */
  onReady: ((modules: readonly string[]) => void) | undefined
  /** Hears of every process that begins on this thread. */
  onOpened: ((pid: Pid) => void) | undefined
  /** A process of the library's own that an answer does not overtake: see {@link settle}. */
  fence: Pid | undefined
  readonly #graves = new Graves(this)
  readonly #receiver: Receiver
  readonly #services = new Map<symbol, unknown>()
  readonly #exits: [Cell, ExitReason][] = []
  #exiting = false
  #serial = 0
  #stopped: BeamlineError | undefined
  #closed = false
  #abandoned = false

  constructor(parts: HostParts) {
    this.thread = parts.thread
    this.node = parts.processes.memory.node
    this.clock = parts.clock
    this.load = parts.load
    this.spawner = new Spawner(this)
    this.batch = parts.batch
    this.mesh = parts.mesh
    this.placement = parts.roster
    this.processes = parts.processes
    this.control = parts.control
    this.names = parts.names
    this.ledger = parts.ledger
    this.naming = new Naming(this, parts.control)
    this.calls = new Calls(parts.thread, parts.clock)
    this.#receiver = new Receiver(this, (signal, from) => parts.control.receive(signal, from))
  }

  ref(): Ref {
    return new Ref(this.node, this.thread, ++this.#serial)
  }

  /** Stands for a thread itself where a process is asked for: answers find their way by it. */
  pidOf(thread: number): Pid {
    return new Pid(this.node, thread, 0, 0)
  }

  /** The live process `pid` of this thread. */
  cell(pid: Pid): Cell | undefined {
    return this.cells.get(pid)
  }

  /** Makes a process that does not run yet. */
  open(birth: Birth): Cell {
    this.assertRunning()
    const cell = new Cell(this, this.processes.open(this.thread), birth)
    this.cells.add(cell)
    this.onOpened?.(cell.pid)
    return cell
  }

  /** A process of the library's own on this thread; its pid can be used at once. */
  hire<A>(make: BehaviourFn<A>, args: A, label: string): Pid {
    const cell = this.open({ parent: undefined, label, limit: undefined })
    cell.run(make as BehaviourFn, args)
    return cell.pid
  }

  /** What another layer keeps once for each thread. */
  service<T>(key: symbol, make: () => T): T {
    if (!this.#services.has(key)) this.#services.set(key, make())
    return this.#services.get(key) as T
  }

  /**
   * The process a destination means.
   * @throws BeamlineError NOPROC for a name that nobody has, unless `quiet`; INVALID_TYPE for what is no destination
   */
  resolve(to: Destination): Pid
  resolve(to: Destination, quiet: 'quiet'): Pid | undefined
  resolve(to: Destination, quiet?: 'quiet'): Pid | undefined {
    return quiet ? this.naming.find(to) : this.naming.get(to)
  }

  /**
   * An answer has come home. What came for the fence before it (notifications of watches) is worked off first, so that
   * who awaited a write finds the watches of its thread called.
   */
  settle(serial: number, outcome: 'value' | 'error' | 'exit', value: unknown): void {
    const fence = this.fence && this.cell(this.fence)
    if (fence === undefined || fence.inbox.length === 0) return this.#settle(serial, outcome, value)
    this.calls.arrived(serial)
    fence.deliver(new Deferred(() => this.#settle(serial, outcome, value)))
  }

  /** A second answer, or one that comes too late, is dropped and counted. */
  #settle(serial: number, outcome: 'value' | 'error' | 'exit', value: unknown): void {
    if (!this.calls.settle(serial, outcome, value)) this.ledger.count('droppedReplies')
  }

  /** How often signals have arrived: what is known of one arrival may be old at the next. */
  arrivals = 0

  arrive(work: () => void): void {
    this.arrivals++
    this.batch.run(() => {
      try {
        work()
      } finally {
        this.scheduler.drain()
      }
    })
  }

  receive(signal: Signal, from: number): void {
    if (signal.kind === 'wire') this.#wire(signal, from)
    else this.#receiver.receive(signal, from)
  }

  #wire(wire: Wire, from: number): void {
    wire.thread = from
    if (wire.op === ANSWER) return this.settle(wire.serial, 'value', { version: wire.version, revision: wire.revision })
    const cell = this.cells.find(wire.slot, wire.generation)
    if (cell === undefined) this.wires.stray(wire)
    else cell.takeWire(wire)
  }

  spilled(): void {
    this.ledger.count('spilled')
  }

  lost(signal: Signal, error: BeamlineError): void {
    this.router.lost(signal, error)
  }

  closed(peer: number): void {
    this.#graves.closed(peer)
  }

  /** Main says that a thread is gone: its processes are dead once its last words are in. */
  threadDown(signal: ThreadSignal & { kind: 'thread-down' }): void {
    this.#graves.dig(signal)
  }

  /** For the watchdog: the code of `cell` runs next. */
  running(cell: Cell): void {
    if (this.place !== undefined) this.placement.run(this.place, cell.pid.slot)
  }

  /** A spawn on this thread failed. */
  childless(): void {
    this.onGone?.(undefined, 'normal')
  }

  /**
   * Tells everyone concerned that a process is dead. A chain of links is worked off one after the other, as it may be
   * longer than the stack is deep.
   */
  exited(cell: Cell, reason: ExitReason): void {
    this.#exits.push([cell, sendable(reason) as ExitReason])
    if (this.#exiting) return
    this.#exiting = true
    try {
      for (let next = this.#exits.shift(); next !== undefined; next = this.#exits.shift()) this.#announce(...next)
    } finally {
      this.#exiting = false
    }
  }

  #announce(cell: Cell, reason: ExitReason): void {
    const { pid, tied } = cell
    for (const { claim } of tied?.names ?? []) this.names.release(claim)
    // Main does it for a thread that has been ended.
    if (!this.#abandoned) this.processes.close(pid)
    this.cells.delete(pid)
    const over = cell.birth.shell ? shellEnded(reason) : undefined
    cell.inbox.clear(this.clock, over)
    if (tied !== undefined) this.calls.dropOwner(tied, over)
    Process.abort(cell, reason)
    if (cell.tied !== undefined) untie(this.router, cell, cell.tied, reason)
    if (this.fence?.equals(pid))
      for (const message of cell.inbox.drain()) if (message instanceof Deferred) message.run()
    this.onGone?.(pid, reason)
  }

  /** @throws BeamlineError STOPPED after `stop` */
  assertRunning(): void {
    if (this.#stopped !== undefined) throw this.#stopped
  }

  /** @throws BeamlineError STOPPED once nothing can be sent or received any more */
  assertOpen(): void {
    if (this.#closed) this.assertRunning()
  }

  get stopping(): boolean {
    return this.#stopped !== undefined
  }

  /** From now on nothing starts here. */
  refuseNew(): void {
    this.#stopped ??= new BeamlineError(
      'STOPPED',
      'the system has been stopped: start another with ActorSystem.start()',
    )
  }

  /** Ends all that still waits, which is rejected, and the links. */
  close(): void {
    this.refuseNew()
    this.#closed = true
    this.#end(this.#stopped)
    this.mesh.close()
  }

  /** Ends like a thread that is terminated: nobody hears of it, and no code of it runs on. */
  abandon(): void {
    this.#abandoned = true
    this.mesh.close()
    this.refuseNew()
    this.#end(undefined)
  }

  #end(error: BeamlineError | undefined): void {
    for (const cell of this.cells.values()) cell.inbox.clear(this.clock, error)
    for (const cell of [...this.cells.values()]) cell.exit('shutdown')
    this.calls.clear(error)
    this.deadLetters.close()
    this.timers.clear()
    this.#graves.clear()
  }
}
