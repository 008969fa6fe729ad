import { availableParallelism } from 'node:os'
import { BeamlineError, shown } from '../../errors.js'
import { timedOut } from '../calls.js'
import { Process } from '../process.js'
import { checkTimeout, type Outcome } from './outcome.js'
import type { Task } from './task.js'

export interface StreamOptions {
  /** The most tasks that run at one time; as many as the machine has cores unless told. */
  readonly maxConcurrency?: number
  /** Whether results come in the order of the items, or as they are ready; true. */
  readonly ordered?: boolean
  /** Milliseconds that one task may take; 5000. `Infinity` for no limit. */
  readonly timeout?: number
  /** Whether a task that takes too long ends the iteration (`exit`), or only itself, as `{ exit: 'timeout' }`. */
  readonly onTimeout?: 'exit' | 'kill_task'
  /** Whether a task's crash is its owner's too; true. */
  readonly link?: boolean
  /** Ends the iteration, and what runs. */
  readonly signal?: AbortSignal
}

/** See `Task.asyncStream`. */
export function taskStream<R, A>(
  owner: Process,
  items: Iterable<A> | AsyncIterable<A>,
  begin: (item: A) => Task<R>,
  options: StreamOptions,
): AsyncGenerator<Outcome<R>, void, undefined> {
  const { maxConcurrency = availableParallelism(), timeout = 5000, onTimeout = 'exit', signal } = options
  if (!(Number.isInteger(maxConcurrency) && maxConcurrency > 0))
    throw invalid('maxConcurrency', maxConcurrency, 'a whole number above 0')
  if (onTimeout !== 'exit' && onTimeout !== 'kill_task') throw invalid('onTimeout', onTimeout, "'exit' or 'kill_task'")
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid('signal', signal, 'an AbortSignal')
  checkTimeout('Task.asyncStream', timeout)
  const all = items as Partial<AsyncIterable<A> & Iterable<A>> | null | undefined
  const open = (all?.[Symbol.asyncIterator] ?? all?.[Symbol.iterator]) as ((this: unknown) => Source<A>) | undefined
  if (typeof open !== 'function') throw invalid('items', items, 'an iterable')
  const limits = { maxConcurrency, timeout, onTimeout, ordered: options.ordered ?? true }
  return new TaskStream(owner, () => open.call(all), begin, limits).run(signal)
}

function invalid(option: string, value: unknown, right: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `Task.asyncStream: ${option} is ${shown(value)}: give ${right}`)
}

type Source<A> = Iterator<A> | AsyncIterator<A>
type Limits = Required<Pick<StreamOptions, 'maxConcurrency' | 'timeout' | 'onTimeout' | 'ordered'>>

/** A task of the stream. */
interface Slot<R> {
  readonly task: Task<R>
  /** Settles with its outcome, and never rejects. */
  readonly settled: Promise<void>
  outcome: Outcome<R> | undefined
}

class TaskStream<R, A> {
  readonly #owner: Process
  readonly #open: () => Source<A>
  readonly #begin: (item: A) => Task<R>
  readonly #limits: Limits
  /** The tasks whose outcomes nobody has taken, in the order of their items. */
  readonly #slots: Slot<R>[] = []
  #source: Source<A> | undefined
  #pulling: Promise<void> | undefined
  #ended = false
  /** Nobody takes results any more. */
  #closed = false
  /** Why the stream cannot go on. */
  #failure: { readonly error: unknown } | undefined

  constructor(owner: Process, open: () => Source<A>, begin: (item: A) => Task<R>, limits: Limits) {
    this.#owner = owner
    this.#open = open
    this.#begin = begin
    this.#limits = limits
  }

  async *run(signal: AbortSignal | undefined): AsyncGenerator<Outcome<R>, void, undefined> {
    let abort = () => {}
    const aborted = new Promise<void>((resolve) => {
      abort = resolve
    })
    signal?.addEventListener('abort', abort)
    try {
      for (;;) {
        signal?.throwIfAborted()
        if (this.#failure !== undefined) throw this.#failure.error
        this.#fill()
        const outcome = this.#take()
        if (outcome !== undefined) yield outcome
        else if (this.#ended && this.#slots.length === 0) return
        else await Process.cellOf(this.#owner).own(this.#change(aborted))
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      await this.#close()
    }
  }

  #running(): Slot<R>[] {
    return this.#slots.filter(({ outcome }) => outcome === undefined)
  }

  #change(aborted: Promise<void>): Promise<void> {
    const tasks = this.#running().map(({ settled }) => settled)
    return Promise.race([aborted, ...(this.#pulling === undefined ? [] : [this.#pulling]), ...tasks])
  }

  #fill(): void {
    if (this.#ended || this.#pulling !== undefined) return
    if (this.#running().length < this.#limits.maxConcurrency) this.#pulling = this.#pull()
  }

  async #pull(): Promise<void> {
    try {
      this.#source ??= this.#open()
      const { done, value } = await this.#source.next()
      if (this.#closed) return
      if (done) this.#ended = true
      else this.#slots.push(this.#slot(this.#begin(value)))
    } catch (error) {
      this.#ended = true
      this.#failure = { error }
    }
    this.#pulling = undefined
  }

  #slot(task: Task<R>): Slot<R> {
    const slot: Slot<R> = {
      task,
      settled: this.#watch(task).then((outcome) => {
        slot.outcome = outcome
      }),
      outcome: undefined,
    }
    return slot
  }

  async #watch(task: Task<R>): Promise<Outcome<R>> {
    const { timeout, onTimeout } = this.#limits
    const outcome = await task.yield({ timeout })
    if (outcome !== undefined) return outcome
    if (onTimeout === 'exit') this.#failure = { error: timedOut('a task of the stream', timeout) }
    return (await task.shutdown('brutal_kill')) ?? { exit: 'timeout' }
  }

  #take(): Outcome<R> | undefined {
    const index = this.#limits.ordered ? 0 : this.#slots.findIndex(({ outcome }) => outcome !== undefined)
    const outcome = this.#slots[index]?.outcome
    if (outcome !== undefined) this.#slots.splice(index, 1)
    return outcome
  }

  async #close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#running().map(({ task }) => task.shutdown('brutal_kill')))
    if (this.#ended) return
    const returned = Promise.resolve(this.#source?.return?.())
    // A source that is asked for an item may take for ever to give it, and would let go only then.
    if (this.#pulling === undefined) await returned
    else returned.catch(() => undefined)
  }
}
