import type { Pid, VariableInfo } from '../../index.js'
import type { Journal } from './journal.js'
import type { Tally } from './ledger.js'
import { Rate } from './rate.js'
import type { Stage } from './stage.js'

/** A variable and how many watch it. */
export type Row = Pick<VariableInfo, 'name' | 'value' | 'version'> & { readonly watchers: number }

/** The demo at one moment, as plain data. */
export interface Survey {
  /** Since the start. */
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly commits: number
  readonly commitsPerSecond: number
  readonly messagesPerSecond: number
  readonly tally: Tally
  /** Watches there are, and how many have gone because their owner was dead. */
  readonly observers: number
  readonly removedByDeath: number
  readonly processes: number
  readonly threads: Readonly<Record<'main' | 'scheduler' | 'system' | 'isolated', number>>
}

/** Asks the parts of the demo how they are. */
export class Surveyor {
  readonly #stage: Stage
  readonly #journal: Journal
  readonly #commits = new Rate()
  readonly #messages = new Rate()
  /** Messages that each process has taken, by pid; the dead keep theirs. */
  readonly #handled = new Map<string, number>()
  readonly #asked = new Set<string>()

  constructor(stage: Stage, journal: Journal) {
    this.#stage = stage
    this.#journal = journal
  }

  async take(): Promise<Survey> {
    const { system, figures, observers, auditor } = this.#stage
    const processes = system.processes()
    for (const pid of processes) void this.#count(pid)
    const [variables, watchers, stats, tally] = await Promise.all([
      figures.list(),
      figures.listWatchers(),
      observers.stats(),
      auditor.audit(),
    ])
    const commits = Math.max(...variables.map(({ revision }) => revision))
    const messages = [...this.#handled.values()].reduce((sum, count) => sum + count, 0)
    const { seconds } = this.#journal
    return {
      seconds,
      rows: variables.map(({ name, value, version }) => {
        return { name, value, version, watchers: watchers.filter(({ names }) => names.includes(name)).length }
      }),
      commits,
      commitsPerSecond: this.#commits.next(seconds, commits),
      messagesPerSecond: this.#messages.next(seconds, messages),
      tally,
      observers: stats.observers,
      removedByDeath: stats.removedByDeath,
      processes: processes.length,
      threads: this.#threads(),
    }
  }

  /** Not awaited: a process that hangs answers when it is dead. */
  async #count(pid: Pid): Promise<void> {
    const key = pid.toString()
    if (this.#asked.has(key)) return
    this.#asked.add(key)
    const info = await this.#stage.system.info(pid).catch(() => undefined)
    this.#asked.delete(key)
    if (info !== undefined) this.#handled.set(key, info.handled)
  }

  #threads(): Survey['threads'] {
    const all = this.#stage.system.threads()
    const count = (kind: string) => all.filter((thread) => thread.kind === kind).length
    return { main: 1, scheduler: count('scheduler'), system: count('system'), isolated: count('isolated') }
  }
}
