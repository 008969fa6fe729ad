import type { MessagePort, ResourceLimits } from 'node:worker_threads'
import { move, Piscina, transferableSymbol, valueSymbol } from 'piscina'
import { BeamlineError } from '../errors.js'
import { type LinkEnd, portsOf } from './link.js'
import type { Transfer } from './payload.js'

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

/** A piece of work that takes a thread for a while. */
export interface Job {
  /** The module whose export `work` does it. */
  readonly module: string
  /** Given to `work`; cloned when a thread is free. */
  readonly data: unknown
  /** What of it is moved instead. */
  readonly transfer: Transfer
}

/** Where threads come from. */
export interface ThreadSource {
  /** A thread that several processes share. */
  shared(task: ThreadTask): RunningThread
  /** A thread for one process. */
  isolated(task: ThreadTask, limits?: ResourceLimits): RunningThread
  /**
   * What `work` returns, from the next free thread for jobs. Rejects when the thread dies, with OVERFLOW when no more jobs
   * may wait, and once `signal` aborts, which ends the thread wherever it is.
   */
  job(job: Job, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

/**
 * Megabytes for new objects on a shared thread, a quarter of what V8 would take: it never gives these pages back, and an
 * idle thread should be small.
 */
const YOUNG_GENERATION = 12

/** Jobs that may wait for a thread. */
const MOST_JOBS = 1024

const entry = new URL('./entry.js', import.meta.url).href

/**
 * Worker threads, owned by Piscina: one long task each, ended by its signal. Shared and isolated threads have pools of
 * their own, and so has every isolated thread with resource limits, as those belong to a pool.
 */
export class ThreadPools implements ThreadSource {
  readonly #shared = newPool({ maxYoungGenerationSizeMb: YOUNG_GENERATION })
  readonly #isolated = newPool()
  readonly #limited = new Set<Piscina>()
  readonly #workers: number
  #jobs: Piscina | undefined
  #jobsUnderWay = 0

  /** @param workers the most threads for jobs */
  constructor(workers: number) {
    this.#workers = workers
  }

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

  async job({ module, data, transfer }: Job, signal: AbortSignal): Promise<unknown> {
    // Piscina bounds only the jobs that no signal can end.
    if (this.#jobsUnderWay >= this.#workers + MOST_JOBS) throw tooMany()
    // No fewer than it may have: for a job that is given up with its thread, Piscina would start no other.
    this.#jobs ??= newPool(undefined, { minThreads: this.#workers, maxThreads: this.#workers })
    this.#jobsUnderWay++
    try {
      return await this.#jobs.run({ module, data }, { name: 'job', signal, transferList: transfer as MessagePort[] })
    } finally {
      this.#jobsUnderWay--
    }
  }

  async close(): Promise<void> {
    const pools = [this.#shared, this.#isolated, ...this.#limited, ...(this.#jobs ? [this.#jobs] : [])]
    await Promise.all(pools.map((pool) => pool.destroy()))
  }
}

/**
 * Atomics are off because Piscina would otherwise block the event loop of an idle worker. Threads start when they are
 * asked for, end with their task, and are bounded by whoever asks.
 */
function newPool(resourceLimits?: ResourceLimits, options: ConstructorParameters<typeof Piscina>[0] = {}): Piscina {
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
    ...options,
  })
  // A worker that dies between tasks is an 'error' event, which without a listener would end the program.
  pool.on('error', () => {})
  return pool
}

function run(pool: Piscina, task: ThreadTask): RunningThread {
  const abort = new AbortController()
  const done = pool.run(task, { signal: abort.signal, transferList: portsOf(task.end) })
  const ended = done.then(
    (): ThreadEnd => ({ kind: 'done' }),
    (error: Error): ThreadEnd => (abort.signal.aborted ? { kind: 'killed' } : { kind: 'crashed', error }),
  )
  return { ended, kill: () => abort.abort() }
}

function tooMany(): BeamlineError {
  const advice = 'await some before, or let Task.asyncStream ask for them'
  return new BeamlineError('OVERFLOW', `${MOST_JOBS} jobs wait for a thread already: ${advice}`)
}

/** A job's result, of which the parts in `transfer` are moved to who asked for it. */
export function movable(value: unknown, transfer: Transfer): unknown {
  return move({ [transferableSymbol]: transfer, [valueSymbol]: value } as never)
}
