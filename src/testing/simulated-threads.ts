import { type BootData, boot } from '../actors/boot.js'
import { importModule, type Loader } from '../actors/entry.js'
import { ActorSystem, type SystemOptions } from '../actors/system.js'
import { type Clock, realClock } from '../threads/clock.js'
import { Batch, type Carrier } from '../threads/link.js'
import { type Deliver, MemoryCarrier } from '../threads/memory-link.js'
import type { Job, RunningThread, ThreadEnd, ThreadSource, ThreadTask } from '../threads/pools.js'

/**
 * Threads that are only simulated: each runs the program of a worker thread, all of them on the calling one. Killing a
 * thread abandons what it ran; code that never lets go of its thread cannot be killed here.
 */
export class SimulatedThreads implements ThreadSource {
  readonly #carrier: Carrier
  readonly #clock: Clock
  readonly #load: Loader
  readonly #running = new Map<number, (end: ThreadEnd) => void>()

  /** @param clock the time of every thread @param load loads the modules of their processes */
  constructor(carrier: Carrier, clock: Clock = realClock, load: Loader = importModule) {
    this.#carrier = carrier
    this.#clock = clock
    this.#load = load
  }

  shared(task: ThreadTask): RunningThread {
    return this.#start(task)
  }

  isolated(task: ThreadTask): RunningThread {
    return this.#start(task)
  }

  /** Done on this thread too, whether or not somebody still waits for it. */
  async job({ module, data }: Job, signal: AbortSignal): Promise<unknown> {
    const program = (await import(module)) as { work(data: unknown): Promise<{ report: unknown }> }
    const { report } = await program.work(data)
    signal.throwIfAborted()
    return report
  }

  /** Lets a thread die, with all that runs on it, as of an uncaught error. */
  crash(thread: number, error: Error): void {
    this.#running.get(thread)?.({ kind: 'crashed', error })
  }

  async close(): Promise<void> {
    for (const end of [...this.#running.values()]) end({ kind: 'killed' })
  }

  #start({ data, end }: ThreadTask): RunningThread {
    const { thread } = data as BootData
    const { done, abandon } = boot(data as BootData, end, this.#carrier, this.#clock, this.#load)
    let die: (end: ThreadEnd) => void = () => {}
    const ended = new Promise<ThreadEnd>((resolve) => {
      die = (how) => {
        if (!this.#running.delete(thread)) return
        resolve(how)
        abandon()
      }
    })
    this.#running.set(thread, die)
    void done.then(() => die({ kind: 'done' }))
    return { ended, kill: () => die({ kind: 'killed' }) }
  }
}

/**
 * Starts a system whose threads are simulated: the same code over an in-memory carrier, all on this one thread, so that
 * a test decides by `deliver` when each signal arrives.
 * @param deliver runs each delivery, in the order in which it is handed them for each pair of threads; at the next turn
 * of the event loop unless told
 * @param threads makes the threads; for tests that let one die
 */
export function startSimulated(
  options: SystemOptions = {},
  deliver: Deliver = setImmediate,
  threads = (carrier: Carrier): ThreadSource => new SimulatedThreads(carrier),
): Promise<ActorSystem> {
  const carrier = new MemoryCarrier(deliver)
  return ActorSystem.assemble(options, {
    source: threads(carrier),
    carrier,
    batch: new Batch(false),
    clock: realClock,
    load: importModule,
  })
}
