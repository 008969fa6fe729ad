import type { Thread } from './thread.js'

/** How many of the modules that processes were made of are remembered. */
const MODULES = 8
/** Spares that may die idle before one is needed again; then none is started until that. */
const DEATHS = 3
/** Milliseconds for a spare to load modules; one that takes longer may never come to an end. */
const PATIENCE = 10_000

interface Spare {
  readonly thread: Thread
  booted: boolean
  /** Loads it was told of and has not reported. */
  loading: number
  timer: NodeJS.Timeout | undefined
}

/** How many spares there are, and when. */
interface SparePlan {
  /** How many are kept from the start; none unless told. */
  readonly count: number | undefined
  /** How many are kept once one was needed, unless told. */
  readonly usual: number
  /** Milliseconds before one is started: meanwhile the processor is for what the last one was needed for. */
  readonly pause: number
}

/** What spares ask of the keeper of all threads. */
export interface SpareSource {
  /** Starts a thread without a process. */
  open(): Thread
  /** Lets a thread load these modules and report that it is warm. */
  preload(thread: Thread, modules: readonly string[]): void
}

/** Threads that wait, booted and with the modules loaded that threads of their kind were needed for before. */
export class Spares {
  readonly #source: SpareSource
  readonly #spares = new Map<number, Spare>()
  /** The least recently used first. */
  readonly #modules = new Set<string>()
  readonly #enough: number
  readonly #pause: number
  #wanted: number
  #deaths = 0
  #filling: NodeJS.Timeout | undefined
  #stopped = false

  constructor({ count, usual, pause }: SparePlan, source: SpareSource) {
    this.#enough = count ?? usual
    this.#wanted = count ?? 0
    this.#pause = pause
    this.#source = source
  }

  /** Whether a thread is a spare that is warm. */
  isWarm(thread: Thread): boolean {
    const spare = this.#spares.get(thread.id)
    return spare !== undefined && isWarm(spare)
  }

  /** The spare that will be able to run a process first. It is a spare no longer. */
  take(): Thread | undefined {
    this.#keep()
    const all = [...this.#spares.values()]
    // One that loads comes last: it may be blocked by a module that the new process has nothing to do with.
    const best = all.find(isWarm) ?? all.find(({ booted }) => !booted) ?? all[0]
    if (best !== undefined) this.#drop(best)
    return best?.thread
  }

  /** A thread that one may have to stand in for has processes of these modules. */
  need(modules: readonly string[]): void {
    this.#keep()
    this.settled(modules)
  }

  #keep(): void {
    this.#wanted = this.#enough
    this.#deaths = 0
  }

  /** A process of these modules has begun on a thread of their kind. */
  settled(modules: readonly string[]): void {
    const fresh = modules.filter((module) => !this.#modules.has(module))
    for (const module of modules) {
      this.#modules.delete(module)
      this.#modules.add(module)
    }
    for (const module of this.#modules) {
      if (this.#modules.size <= MODULES) break
      this.#modules.delete(module)
    }
    if (fresh.length > 0) for (const spare of this.#spares.values()) if (spare.booted) this.#load(spare, fresh)
    this.fill()
  }

  /** Starts what is missing, before long. */
  fill(): void {
    if (this.#stopped || this.#filling !== undefined || this.#spares.size >= this.#wanted) return
    this.#filling = setTimeout(() => {
      this.#filling = undefined
      while (this.#spares.size < this.#wanted && this.#deaths < DEATHS) {
        const thread = this.#source.open()
        this.#spares.set(thread.id, { thread, booted: false, loading: 0, timer: undefined })
      }
    }, this.#pause)
  }

  /** A thread runs its program. */
  booted({ id }: Thread): void {
    const spare = this.#spares.get(id)
    if (spare === undefined || spare.booted) return
    spare.booted = true
    if (this.#modules.size > 0) this.#load(spare, [...this.#modules])
  }

  #load(spare: Spare, modules: readonly string[]): void {
    spare.loading++
    clearTimeout(spare.timer)
    spare.timer = setTimeout(() => end(spare), PATIENCE)
    this.#source.preload(spare.thread, modules)
  }

  /** A thread has loaded what it was told to. */
  loaded({ id }: Thread): void {
    const spare = this.#spares.get(id)
    if (spare !== undefined && --spare.loading === 0) clearTimeout(spare.timer)
  }

  /** A thread is gone. What ended an idle one may have been a module: the next one waits until those are used again. */
  gone({ id }: Thread): void {
    const spare = this.#spares.get(id)
    if (spare === undefined) return this.fill()
    this.#drop(spare)
    this.#deaths++
    this.#modules.clear()
    this.fill()
  }

  #drop(spare: Spare): void {
    clearTimeout(spare.timer)
    this.#spares.delete(spare.thread.id)
  }

  /** Ends them all, for ever. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#filling)
    for (const spare of [...this.#spares.values()]) {
      this.#drop(spare)
      end(spare)
    }
  }
}

function isWarm({ booted, loading }: Spare): boolean {
  return booted && loading === 0
}

function end({ thread }: Spare): void {
  thread.end({ reason: 'killed', others: 'killed' })
}
