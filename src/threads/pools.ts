import type { MessagePort, ResourceLimits } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { LinkEnd } from './link.js'

/** What runs on a thread from its start to its end. */
export interface ThreadTask {
  /** The module whose export `boot` is the thread's program; any layer's, so that this one knows none of them. */
  readonly module: string
  /** Given to `boot`; cloned. */
  readonly data: unknown
  /** The thread's end of its link to main. */
  readonly end: LinkEnd
}

/** How a thread ended. */
export type ThreadEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'killed' }
  | { readonly kind: 'crashed'; readonly error: Error }

export interface RunningThread {
  /** Never rejects. */
  readonly ended: Promise<ThreadEnd>
  /** Ends the thread wherever it is, in an endless loop too. */
  kill(): void
}

/** Where threads come from. */
export interface ThreadSource {
  /** A thread that several processes share. */
  shared(task: ThreadTask): RunningThread
  /** A thread for one process. */
  isolated(task: ThreadTask, limits?: ResourceLimits): RunningThread
  close(): Promise<void>
}

/**
 * Megabytes for new objects on a shared thread, a quarter of what V8 would take: it never gives these pages back, and an
 * idle thread should be small.
 */
const YOUNG_GENERATION = 12

const entry = new URL('./entry.js', import.meta.url).href

/**
 * Worker threads, owned by Piscina: one long task each, ended by its signal. Shared and isolated threads have pools of
 * their own, and so has every isolated thread with resource limits, as those belong to a pool.
 */
export class ThreadPools implements ThreadSource {
  readonly #shared = newPool({ maxYoungGenerationSizeMb: YOUNG_GENERATION })
  readonly #isolated = newPool()
  readonly #limited = new Set<Piscina>()

  shared(task: ThreadTask): RunningThread {
    return run(this.#shared, task)
  }

  isolated(task: ThreadTask, limits?: ResourceLimits): RunningThread {
    if (limits === undefined) return run(this.#isolated, task)
    const pool = newPool(limits)
    this.#limited.add(pool)
    const running = run(pool, task)
    void running.ended.then(async () => {
      this.#limited.delete(pool)
      await pool.destroy()
    })
    return running
  }

  async close(): Promise<void> {
    await Promise.all([this.#shared, this.#isolated, ...this.#limited].map((pool) => pool.destroy()))
  }
}

/**
 * Atomics are off because Piscina would otherwise block the event loop of an idle worker. Threads start when they are
 * asked for, end with their task, and are bounded by whoever asks.
 */
function newPool(resourceLimits?: ResourceLimits): Piscina {
  const pool = new Piscina({
    filename: entry,
    name: 'host',
    minThreads: 0,
    maxThreads: 4096,
    idleTimeout: 0,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    recordTiming: false,
    ...(resourceLimits && { resourceLimits }),
  })
  // A worker that dies between tasks is an 'error' event, which without a listener would end the program.
  pool.on('error', () => {})
  return pool
}

function run(pool: Piscina, task: ThreadTask): RunningThread {
  const abort = new AbortController()
  const done = pool.run(task, { signal: abort.signal, transferList: [task.end as MessagePort] })
  const ended = done.then(
    (): ThreadEnd => ({ kind: 'done' }),
    (error: Error): ThreadEnd => (abort.signal.aborted ? { kind: 'killed' } : { kind: 'crashed', error }),
  )
  return { ended, kill: () => abort.abort() }
}
