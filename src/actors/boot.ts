import { isMainThread } from 'node:worker_threads'
import { isInstance, shown } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import { Collector } from '../threads/collector.js'
import { Deadlines } from '../threads/deadlines.js'
import { Batch, type Carrier, type LinkEnd } from '../threads/link.js'
import { MAIN, Mesh } from '../threads/mesh.js'
import { pack } from '../threads/payload.js'
import type { Pid, RawRef } from '../threads/pid.js'
import { Roster, type RosterMemory } from '../threads/roster.js'
import type { SharedMapMemory } from '../threads/shared-map.js'
import type { Signal, ThreadSignal } from '../threads/signal.js'
import { importModule, type Loader } from './entry.js'
import { Host } from './host.js'
import type { ThreadControl } from './host-parts.js'
import { inspect } from './inspect.js'
import { Ledger } from './ledger.js'
import { type NameClaim, NameTable } from './names.js'
import { ProcessTable, type ProcessTableMemory } from './process-table.js'
import { shutdown } from './shutdown.js'
import { ActorSystem } from './system.js'

/** What a new thread is told about itself and its system. */
export interface BootData {
  readonly thread: number
  /** Whether it is for one process only. */
  readonly isolated: boolean
  /** Its place in the roster; undefined for an isolated thread, and for one that waits for a place. */
  readonly place: number | undefined
  readonly processes: ProcessTableMemory
  readonly names: SharedMapMemory
  readonly ledger: SharedArrayBuffer
  readonly roster: RosterMemory
  /** Milliseconds between beats. */
  readonly beat: number
}

/**
 * The program of a thread: hosts processes until main says stop, or, on an isolated thread, until its resident ends.
 * Loaded by name, on every worker thread.
 */
export function boot(
  data: BootData,
  end: LinkEnd,
  carrier: Carrier,
  clock: Clock = new Deadlines(),
  load: Loader = importModule,
) {
  const thread = new WorkerThread(data, end, carrier, clock, load)
  return { done: thread.done, abandon: () => thread.abandon() }
}

class WorkerThread implements ThreadControl {
  readonly done: Promise<void>
  readonly #host: Host
  readonly #carrier: Carrier
  readonly #batch = new Batch(false)
  readonly #data: BootData
  readonly #told = new Set<string>()
  #beat: NodeJS.Timeout | undefined
  readonly #collector = new Collector()
  #end!: () => void

  constructor(data: BootData, end: LinkEnd, carrier: Carrier, clock: Clock, load: Loader) {
    this.#data = data
    this.#carrier = carrier
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
    const processes = ProcessTable.attach(data.processes)
    this.#host = new Host({
      thread: data.thread,
      processes,
      names: NameTable.attach(data.names, processes),
      ledger: Ledger.attach(data.ledger),
      roster: Roster.attach(data.roster),
      clock,
      load,
      batch: this.#batch,
      mesh: new Mesh((thread) => this.dial(thread)),
      control: this,
    })
    new ActorSystem(this.#host, async () => this.#toMain({ kind: 'stop', timeout: 0 }))
    this.#host.mesh.connect(carrier.attach(end, MAIN, this.#batch, this.#host))
    if (data.isolated) this.#endWithResident()
    else this.#share()
    if (data.place !== undefined) this.#seat(data.place)
    if (!isMainThread) process.on('uncaughtExceptionMonitor', this.#lastWords)
    this.#toMain({ kind: 'ready', pid: undefined })
  }

  /** Many processes come and go on a shared thread. */
  #share(): void {
    this.#host.onGone = () => this.#collector.ended()
    this.#host.onReady = (modules) => this.#tell(modules)
  }

  /** From now on the thread has a place, and shows that it lives. */
  #seat(place: number): void {
    const { placement } = this.#host
    this.#host.place = place
    this.#batch.enabled = placement.isSystem(place)
    placement.beat(place)
    this.#beat = setInterval(() => placement.beat(place), this.#data.beat).unref()
  }

  /**
   * Main hears what system threads run, for the thread that will take the place of this one. A thread that waits may have
   * been asked for a process before it heard that it has its place.
   */
  #tell(modules: readonly string[]): void {
    const { place, placement } = this.#host
    if (place !== undefined && !placement.isSystem(place)) return
    const fresh = modules.filter((module) => !this.#told.has(module))
    for (const module of fresh) this.#told.add(module)
    if (fresh.length > 0) this.#toMain({ kind: 'runs', modules: fresh })
  }

  readonly #lastWords = (error: unknown) => this.#toMain({ kind: 'last-words', error: pack(describable(error)) })

  /** The first process of an isolated thread is its resident. */
  #endWithResident(): void {
    let resident: Pid | undefined
    this.#host.onOpened = (pid) => {
      if (resident !== undefined) return
      resident = pid
      this.#toMain({ kind: 'ready', pid: pid.raw })
    }
    this.#host.onGone = (pid) => {
      if (pid === undefined ? this.#host.cells.size > 0 : !pid.equals(resident)) return
      // In the next turn: the answer to a start that failed still leaves in this one.
      setImmediate(() => void this.#stop(0))
    }
  }

  #toMain(signal: Signal): void {
    this.#host.mesh.send(MAIN, signal)
  }

  dial(thread: number): void {
    this.#toMain({ kind: 'dial', thread })
  }

  claimName(name: string, pid: Pid): Promise<NameClaim> {
    const ref = this.#host.ref()
    const what = `the registration of '${name}'`
    const claim = this.#host.calls.open(ref, { thread: MAIN, what, timeout: Number.POSITIVE_INFINITY })
    this.#toMain({ kind: 'claim', ref: ref.raw, name, pid: pid.raw })
    return claim as Promise<NameClaim>
  }

  suspect(pid: Pid): void {
    if (pid.thread !== MAIN) this.#toMain({ kind: 'suspect', pid: pid.raw })
  }

  openIsolated(spawn: Signal & { kind: 'spawn' }): void {
    this.#toMain(spawn)
  }

  closeIsolated(ref: RawRef): void {
    this.#toMain({ kind: 'cancel', ref, isolated: true })
  }

  doze(): void {
    if (!this.#data.isolated) return
    this.#carrier.doze?.()
    this.#batch.enabled = true
  }

  receive(signal: ThreadSignal, from: number): void {
    switch (signal.kind) {
      case 'connect':
        return this.#host.mesh.connect(this.#carrier.attach(signal.end, signal.thread, this.#batch, this.#host))
      case 'thread-down':
        return this.#host.threadDown(signal)
      case 'seat':
        return this.#seat(signal.place)
      case 'preload':
        return void this.#preload(signal.modules)
      case 'inspect':
        return inspect(this.#host, signal, from)
      case 'stop':
        return void this.#stop(signal.timeout)
    }
  }

  /** What cannot be loaded is the business of the process that needs it. */
  async #preload(modules: readonly string[]): Promise<void> {
    await Promise.allSettled(modules.map(this.#host.load))
    this.#toMain({ kind: 'loaded' })
  }

  async #stop(timeout: number): Promise<void> {
    await shutdown(this.#host, timeout, this.#host.clock)
    this.abandon()
  }

  /** Ends the thread without a word to its processes. One without a place waits for main to end it. */
  abandon(): void {
    clearInterval(this.#beat)
    this.#collector.stop()
    process.off('uncaughtExceptionMonitor', this.#lastWords)
    if (this.#host.place === undefined) this.#toMain({ kind: 'done' })
    this.#host.abandon()
    if (this.#host.place !== undefined) this.#end()
  }
}

function describable(error: unknown): unknown {
  return isInstance(error, Error) ? error : new Error(`a value that is no error was thrown: ${shown(error)}`)
}
