import type { ActorSystem } from '../actors/system.js'
import { MAIN } from '../threads/mesh.js'
import type { Pid } from '../threads/pid.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimulatedThreads } from './simulated-threads.js'

/** How often something dies of no fault of its own, as the probability before each step, from 0 to 1. */
export interface FaultOptions {
  /** One of the scheduler threads crashes, with all that runs on it; 0. */
  readonly crash?: number
  /** One of the processes that are not on main nor on a system thread is killed; 0. */
  readonly kill?: number
}

/** Most steps before what was armed goes off. */
const FUSE = 30

/** A process, or a thread. */
type Victim = { readonly pid: Pid } | { readonly thread: number }

/** What dies, and when: drawn from the seed. */
export class Faults {
  readonly #system: ActorSystem
  readonly #threads: SimulatedThreads
  readonly #random: SeededRandom
  #options: FaultOptions
  #armed: { readonly victim: Victim; steps: number }[] = []

  constructor(system: ActorSystem, threads: SimulatedThreads, random: SeededRandom, options: FaultOptions) {
    this.#system = system
    this.#threads = threads
    this.#random = random
    this.#options = options
  }

  /** Some steps from now the victim dies. */
  arm(victim: Victim): void {
    this.#armed.push({ victim, steps: this.#random.below(FUSE) })
  }

  /** From now on nothing dies but by {@link crash}. */
  calm(): void {
    this.#options = {}
    this.#armed = []
  }

  /** Whether something waits to die. */
  get armed(): boolean {
    return this.#armed.length > 0
  }

  /** What happens before the next step, for the trace. */
  strike(): string[] {
    const { crash = 0, kill = 0 } = this.#options
    const struck: string[] = []
    if (crash > 0 && this.#random.next() < crash) struck.push(...this.#crashOne())
    if (kill > 0 && this.#random.next() < kill) struck.push(...this.#killOne())
    for (const one of this.#armed.splice(0)) {
      if (--one.steps >= 0) this.#armed.push(one)
      else struck.push('pid' in one.victim ? this.#kill(one.victim.pid) : this.crash(one.victim.thread))
    }
    return struck
  }

  #kill(pid: Pid): string {
    this.#system.self.exit(pid, 'kill')
    return `kill ${pid}`
  }

  crash(thread: number, error = new Error(`thread ${thread} was crashed by the simulation`)): string {
    this.#threads.crash(thread, error)
    return `crash ${thread}`
  }

  #crashOne(): string[] {
    const threads = this.#system.threads().filter(({ kind }) => kind === 'scheduler')
    return threads.length === 0 ? [] : [this.crash(this.#random.pick(threads).id)]
  }

  #killOne(): string[] {
    const systems = this.#system.threads().filter(({ kind }) => kind === 'system')
    const safe = new Set([MAIN, ...systems.map(({ id }) => id)])
    const pids = this.#system.processes().filter(({ thread }) => !safe.has(thread))
    return pids.length === 0 ? [] : [this.#kill(this.#random.pick(pids))]
  }
}
