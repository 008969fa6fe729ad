import { importModule } from '../actors/entry.js'
import { ActorSystem, type SystemOptions } from '../actors/system.js'
import type { Machinery } from '../actors/thread-table.js'
import { BeamlineError, shown } from '../errors.js'
import { Batch } from '../threads/link.js'
import { MemoryCarrier } from '../threads/memory-link.js'
import type { Pid } from '../threads/pid.js'
import { type FaultOptions, Faults } from './faults.js'
import { SeededRandom } from './seeded-random.js'
import { SimulatedThreads } from './simulated-threads.js'
import { Traffic } from './traffic.js'
import { VirtualClock } from './virtual-clock.js'

export interface SimulationOptions extends Omit<SystemOptions, 'clock' | 'stuckAfter' | 'killGrace'> {
  /** A whole number: decides every order, latency and fault. The same seed gives the same run. */
  readonly seed: number
  /** The most milliseconds of virtual time that a signal takes from one thread to another; 3. */
  readonly latency?: number
  /** What dies, and how often; nothing unless told. */
  readonly faults?: FaultOptions
}

/** Turns of the event loop without a delivery after which whatever ran has run. */
const QUIET_TURNS = 3

/** Steps after which a run is given up. */
const MOST_STEPS = 1_000_000

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * A system whose threads are simulated on the calling one, so that a run can be repeated: its seed decides which signal
 * arrives next, how long it takes, and what dies. The processes are those of any system; the library's own code runs as
 * it does on worker threads.
 *
 * Time is virtual: it moves to the next delivery or timer when nothing else can happen. Code under a simulation must not
 * use timers, random numbers or I/O of its own, as no seed decides about those. A loop that never lets go of its thread
 * cannot be ended here. Nothing happens but in {@link run} and {@link settle}.
 */
export class Simulation implements AsyncDisposable {
  readonly seed: number
  /** Virtual time: of every thread. */
  readonly clock = new VirtualClock()
  /** For what a test draws of the same seed; without an influence on what the simulation draws. */
  readonly random: SeededRandom
  readonly #traffic: Traffic
  readonly #threads: SimulatedThreads
  readonly #machinery: Machinery
  readonly #trace: string[] = []
  /** Modules that processes wait for. */
  readonly #loads: (() => Promise<void>)[] = []
  #system!: ActorSystem
  #faults!: Faults

  private constructor(seed: number, latency: number) {
    this.seed = seed
    this.random = new SeededRandom(~seed)
    this.#traffic = new Traffic(this.clock, new SeededRandom(seed), latency)
    const carrier = new MemoryCarrier((deliver, transit) => this.#traffic.add(deliver, transit))
    const load = (module: string) => this.#load(module)
    const { clock } = this
    this.#threads = new SimulatedThreads(carrier, clock, load)
    this.#machinery = { source: this.#threads, carrier, batch: new Batch(false), clock, load }
  }

  /**
   * Starts a system of simulated threads: 2 that processes share, 1 for the library's own actors, and no spares, unless
   * told.
   * @throws BeamlineError INVALID_TYPE for an option out of its range
   */
  static async start({ seed, latency = 3, faults = {}, ...given }: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(whole('seed', seed), whole('latency', latency, 0))
    const never = { stuckAfter: Number.POSITIVE_INFINITY, killGrace: Number.POSITIVE_INFINITY }
    const options = { name: 'sim', threads: 2, spares: 0, ...given, ...never, clock: simulation.clock }
    simulation.#system = await simulation.run(() => ActorSystem.assemble(options, simulation.#machinery))
    const random = new SeededRandom(seed ^ 0x5eed)
    simulation.#faults = new Faults(simulation.#system, simulation.#threads, random, faults)
    return simulation
  }

  get system(): ActorSystem {
    return this.#system
  }

  /** What has happened, in order: each delivery, with its moment, and each fault. Equal for equal seeds. */
  get trace(): readonly string[] {
    return this.#trace
  }

  /**
   * Runs `body`, and with it all processes, until what it returns has settled; resolves to that.
   * @throws BeamlineError UNAVAILABLE when it waits for ever: nothing can happen any more, or no end is in sight
   */
  async run<T>(body: () => T | Promise<T>): Promise<T> {
    let settled = false
    const over = () => {
      settled = true
    }
    const work = Promise.resolve().then(body)
    work.then(over, over)
    if (await this.#steps(() => settled)) return work
    throw this.#hopeless('nothing can happen any more, and what was run still waits')
  }

  /**
   * Runs all processes until nothing can happen any more: no signal is on its way, and no timer runs.
   * @throws BeamlineError UNAVAILABLE when no end is in sight
   */
  async settle(): Promise<void> {
    await this.#steps(() => false)
  }

  /** Lets a thread die now, with all that runs on it, as of an uncaught error. */
  crashThread(thread: number, error?: Error): void {
    this.#note(this.#faults.crash(thread, error))
  }

  /** Kills a process at a point of the next steps that the seed decides. */
  killSomewhere(pid: Pid): void {
    this.#faults.arm({ pid })
  }

  /** Lets a thread die, like {@link crashThread}, at a point of the next steps that the seed decides. */
  crashSomewhere(thread: number): void {
    this.#faults.arm({ thread })
  }

  /** From now on nothing dies by chance: for looking at what is left. */
  calm(): void {
    this.#faults.calm()
  }

  /** Stops the system, as {@link ActorSystem.stop}, without faults. */
  async stop(options: { readonly timeout?: number } = {}): Promise<void> {
    this.calm()
    await this.run(() => this.#system.stop(options))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** One thing after the other, each with all that comes of it at once; false when nothing is left before `until` holds. */
  async #steps(until: () => boolean): Promise<boolean> {
    for (let quiet = 0, steps = 0; ; ) {
      await turn()
      if (until()) return true
      if (await this.#step()) quiet = 0
      else if (++quiet >= QUIET_TURNS) {
        if (!this.#moveOn()) return false
        quiet = 0
      }
      if (++steps > MOST_STEPS) throw this.#hopeless(`no end is in sight after ${steps} steps`)
    }
  }

  async #step(): Promise<boolean> {
    const load = this.#loads.shift()
    if (load !== undefined) {
      await load()
      return true
    }
    const parcel = this.#traffic.take()
    if (parcel === undefined) return false
    for (const fault of this.#faults?.strike() ?? []) this.#note(fault)
    const { way, to, kind } = parcel.transit
    this.#note(`${kind} to ${to} by ${way}`)
    parcel.deliver()
    return true
  }

  /** Time passes until something can happen. */
  #moveOn(): boolean {
    const due = Math.min(this.#traffic.due, this.clock.due)
    if (due < Number.POSITIVE_INFINITY) this.clock.advanceTo(due)
    else if (this.#faults?.armed) for (const fault of this.#faults.strike()) this.#note(fault)
    else return false
    return true
  }

  /** Reading a module takes real time: nothing else happens meanwhile, and one is read at a time. */
  #load(module: string): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      this.#loads.push(() => importModule(module).then(resolve, reject))
    })
  }

  #note(what: string): void {
    this.#trace.push(`${this.clock.now()} ${what}`)
  }

  #hopeless(text: string): BeamlineError {
    const { seed } = this
    return new BeamlineError('UNAVAILABLE', `the simulation of seed ${seed}: ${text}`, { details: { seed } })
  }
}

function whole(option: string, value: number, least = Number.MIN_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  const range = least < 0 ? '' : ` from ${least}`
  throw new BeamlineError('INVALID_TYPE', `Simulation.start: ${option} is ${shown(value)}: give a whole number${range}`)
}
