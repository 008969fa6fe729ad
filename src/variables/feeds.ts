import { Process } from '../actors/process.js'
import type { Batch, Batched } from '../threads/link.js'
import type { Pid } from '../threads/pid.js'
import type { Change, Metadata } from './change.js'
import { SetColumns } from './fed-sets.js'
import type { CommitEvent, Fed, FedEvents, NumberedInfo } from './session-state.js'
import type { StoredVariable } from './stored-variable.js'

/**
 * The copies of a context: each is told every commit, in order. What arrives together is told together, behind the answers
 * to plain writes, and before all others.
 */
export class Feeds implements Batched {
  readonly #self: Process
  readonly #batch: Batch
  readonly #context: string
  #incarnation = ''
  #to: Pid[] = []
  readonly #held = new SetColumns()

  constructor(self: Process, context: string) {
    this.#self = self
    this.#batch = Process.hostOf(self).batch
    this.#context = context
  }

  /** Whether nobody has to be told. */
  get areNone(): boolean {
    return this.#to.length === 0
  }

  add(to: Pid, incarnation: string): void {
    this.flush()
    this.#incarnation = incarnation
    this.#to = this.#to.filter((one) => !one.equals(to) && this.#self.system.isAlive(one))
    this.#to.push(to)
  }

  remove(to: Pid): void {
    this.#to = this.#to.filter((one) => !one.equals(to))
  }

  /** A variable has its next value, which is a scalar of which nothing was said. */
  wrote(variable: StoredVariable): void {
    if (this.#to.length === 0) return
    const isFirst = this.#held.isEmpty
    this.#held.add(variable)
    if (!this.#batch.open) this.flush()
    else if (isFirst) this.#batch.add(this)
  }

  /** Tells what is held back. */
  flush(): void {
    if (!this.#held.isEmpty) this.#tell({ sets: this.#held.take() })
  }

  tell(events: readonly CommitEvent[]): void {
    this.flush()
    this.#tell({ events })
  }

  #tell(told: FedEvents): void {
    const incarnation = this.#incarnation
    const fed: Fed = { type: 'beamline:fed', context: this.#context, incarnation, ...told }
    let isAnyDead = false
    for (const to of this.#to) {
      if (this.#self.system.isAlive(to)) this.#self.send(to, fed)
      else isAnyDead = true
    }
    if (isAnyDead) this.#to = this.#to.filter((one) => this.#self.system.isAlive(one))
  }
}

/** What a copy is told of the changes of one or several commits. */
export function eventsOf(
  changes: readonly Change[],
  about: (change: Change) => { readonly number: number; readonly info?: NumberedInfo },
): CommitEvent[] {
  return changes.map((change, at) => {
    const { id, name, value, previous, meta } = change
    const { revision, version, timestamp } = meta
    const { number, info } = about(change)
    return {
      op: info !== undefined ? 'define' : meta.deleted === true ? 'delete' : 'set',
      number,
      id,
      name,
      value,
      previous,
      said: saidOf(change),
      revision,
      version,
      timestamp,
      more: changes[at + 1]?.meta.revision === revision,
      ...(info !== undefined && { info }),
    }
  })
}

/** What the writer said, of which the facts that a watch is told are no part. */
function saidOf({ meta }: Change): Metadata | undefined {
  const { initial: _i, resync: _s, revision: _r, version: _v, timestamp: _t, deleted: _d, ...said } = meta
  return said['source'] === 'local' && Object.keys(said).length === 1 ? undefined : said
}
