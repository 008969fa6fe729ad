import type { Process } from '../actors/process.js'
import type { Pid } from '../threads/pid.js'
import type { Change, Metadata } from './change.js'
import type { CommitEvent, Fed, NumberedInfo } from './session-state.js'
import type { StoredVariable } from './stored-variable.js'

/** The copies of a context: each is told every commit, in order, before whoever made it is answered. */
export class Feeds {
  readonly #self: Process
  readonly #context: string
  #incarnation = ''
  #to: Pid[] = []

  constructor(self: Process, context: string) {
    this.#self = self
    this.#context = context
  }

  /** Whether nobody has to be told. */
  get areNone(): boolean {
    return this.#to.length === 0
  }

  add(to: Pid, incarnation: string): void {
    this.#incarnation = incarnation
    this.#to = this.#to.filter((one) => !one.equals(to) && this.#self.system.isAlive(one))
    this.#to.push(to)
  }

  remove(to: Pid): void {
    this.#to = this.#to.filter((one) => !one.equals(to))
  }

  /** A variable has its next value, which is a scalar of which nothing was said. */
  wrote({ number, id, name, value, previous, revision, version, timestamp }: StoredVariable): void {
    if (this.#to.length === 0) return
    const said = undefined
    const more = false
    this.tell([{ op: 'set', number, id, name, value, previous, said, revision, version, timestamp, more }])
  }

  tell(events: readonly CommitEvent[]): void {
    const fed: Fed = { type: 'beamline:fed', context: this.#context, incarnation: this.#incarnation, events }
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
