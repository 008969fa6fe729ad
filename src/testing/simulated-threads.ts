import { type BootData, boot } from '../actors/boot.js'
import type { Machinery } from '../actors/thread-keeper.js'
import { type Clock, realClock } from '../threads/clock.js'
import { Batch, type Carrier } from '../threads/link.js'
import { type Deliver, MemoryCarrier } from '../threads/memory-link.js'
import type { RunningThread, ThreadEnd, ThreadSource, ThreadTask } from '../threads/pools.js'

/**
 * Threads that are only simulated: each runs the program of a worker thread, all of them on the calling one. Killing a
 * thread abandons what it ran; code that never lets go of its thread cannot be killed here.
 */
export class SimulatedThreads implements ThreadSource {
  readonly #carrier: Carrier
  readonly #clock: Clock
  readonly #running = new Map<number, (end: ThreadEnd) => void>()

  constructor(carrier: Carrier, clock: Clock = realClock) {
    this.#carrier = carrier
    this.#clock = clock
  }

  /** The parts of a system without worker threads, whose signals travel when `deliver` lets them. */
  static machinery(deliver: Deliver = setImmediate, clock?: Clock): Machinery & { readonly source: SimulatedThreads } {
    const carrier = new MemoryCarrier(deliver)
    return { source: new SimulatedThreads(carrier, clock), carrier, batch: new Batch(false) }
  }

  shared(task: ThreadTask): RunningThread {
    return this.#start(task)
  }

  isolated(task: ThreadTask): RunningThread {
    return this.#start(task)
  }

  /** Lets a thread die, with all that runs on it, as of an uncaught error. */
  crash(thread: number, error: Error): void {
    this.#running.get(thread)?.({ kind: 'crashed', error })
  }

  async close(): Promise<void> {
    for (const end of [...this.#running.values()]) end({ kind: 'killed' })
  }

  #start(task: ThreadTask): RunningThread {
    const data = task.data as BootData
    const { done, abandon } = boot(data, task.end, this.#carrier, this.#clock)
    let die: (end: ThreadEnd) => void = () => {}
    const ended = new Promise<ThreadEnd>((resolve) => {
      die = (end) => {
        if (!this.#running.delete(data.thread)) return
        resolve(end)
        abandon()
      }
    })
    this.#running.set(data.thread, die)
    void done.then(() => die({ kind: 'done' }))
    return { ended, kill: () => die({ kind: 'killed' }) }
  }
}
