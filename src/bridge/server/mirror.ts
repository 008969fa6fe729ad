import type { BeamlineError } from '../../errors.js'
import type { Clock } from '../../threads/clock.js'
import type { CommitEvent, FeedStart } from '../../variables/session-state.js'
import { Audience } from './mirror-audience.js'
import { defaultBounds, type LogBounds, type LogEntry, MirrorLog } from './mirror-log.js'
import { Room } from './mirror-room.js'
import { Standing } from './mirror-standing.js'
import { isWanted, type Wanted } from './stream-selection.js'

/** Who is told of what happens to a session. Called while the mirror takes in what it is fed: only notes it. */
export interface MirrorWatcher {
  /** A variable it wants was in a commit. */
  committed(entry: LogEntry): void
  /** Some commits were missed, and the mirror has begun anew. */
  begunAnew(): void
  ended(): void
}

interface Waiting {
  readonly revision: number
  readonly then: () => void
}

/** A copy of a session on the thread of the bridge: what its variables are, and the latest commits. */
export class Mirror {
  /** The session's id. */
  readonly id: string
  readonly room: Room = new Room(this)
  readonly #clock: Clock
  readonly #bounds: LogBounds
  readonly #audience = new Audience<MirrorWatcher>()
  #byNumber = new Map<number, Standing>()
  #byName = new Map<string, number>()
  #byId = new Map<string, number>()
  #incarnation: string
  #head: number
  #log: MirrorLog
  /** Events of a revision of which more are to come. */
  #begun: CommitEvent[] = []
  /** By revision. */
  readonly #waiting: Waiting[] = []
  #closed: BeamlineError | undefined

  constructor(id: string, start: FeedStart, clock: Clock, bounds: LogBounds = defaultBounds) {
    this.id = id
    this.#clock = clock
    this.#bounds = bounds
    this.#incarnation = start.state.incarnation
    this.#head = 0
    this.#log = new MirrorLog(bounds, 0)
    this.#begin(start)
  }

  get incarnation(): string {
    return this.#incarnation
  }

  /** The last commit. */
  get head(): number {
    return this.#head
  }

  /** The highest revision of which something is no longer kept. */
  get compacted(): number {
    return this.#log.compacted
  }

  get log(): MirrorLog {
    return this.#log
  }

  /** Why there will be no more commits, once there will be none. */
  get closed(): BeamlineError | undefined {
    return this.#closed
  }

  get watchers(): number {
    return this.#audience.size
  }

  get variables(): IterableIterator<Standing> {
    return this.#byNumber.values()
  }

  get count(): number {
    return this.#byNumber.size
  }

  named(name: string): Standing | undefined {
    return this.numbered(this.#byName.get(name))
  }

  identified(id: string): Standing | undefined {
    return this.numbered(this.#byId.get(id))
  }

  numbered(number: number | undefined): Standing | undefined {
    return number === undefined ? undefined : this.#byNumber.get(number)
  }

  /** By id, else by name. */
  find(identifier: string): Standing | undefined {
    return this.identified(identifier) ?? this.named(identifier)
  }

  /** The variables of a selection, oldest first. */
  select(wanted: Wanted): Standing[] {
    if (wanted.all) return [...this.#byNumber.values()]
    if (wanted.prefixes.length > 0)
      return [...this.#byNumber.values()].filter(({ born }) => isWanted(wanted, born.name, born.id))
    const numbers = new Set<number>()
    for (const name of wanted.names) add(numbers, this.#byName.get(name))
    for (const id of wanted.ids) add(numbers, this.#byId.get(id))
    return [...numbers].sort((a, b) => a - b).map((number) => this.#byNumber.get(number) as Standing)
  }

  /** From now on `watcher` is told of every commit of what it wants. */
  watch(watcher: MirrorWatcher, wanted: Wanted): void {
    this.#audience.add(watcher, wanted)
  }

  unwatch(watcher: MirrorWatcher): void {
    this.#audience.remove(watcher)
  }

  /** Calls `then` once it has that revision, at the latest when the session has ended. */
  reaches(revision: number, then: () => void): void {
    if (this.#closed !== undefined || this.#head >= revision) return then()
    let at = this.#waiting.length
    while (at > 0 && (this.#waiting[at - 1] as Waiting).revision > revision) at--
    if (at === this.#waiting.length) this.#waiting.push({ revision, then })
    else this.#waiting.splice(at, 0, { revision, then })
  }

  /** Takes in commits, in order. What was taken in before is passed over. */
  take(events: readonly CommitEvent[]): void {
    if (this.#closed !== undefined) return
    const now = this.#clock.now()
    for (const event of events) {
      if (event.revision <= this.#head) continue
      this.#begun.push(event)
      if (event.more) continue
      const revision = this.#begun
      this.#begun = []
      for (const one of revision) this.#commit(one, now)
      this.#head = event.revision
    }
    this.#log.trim(now)
    this.#settle()
  }

  #commit(event: CommitEvent, now: number): void {
    const { number, name, id } = event
    const standing = this.#byNumber.get(number)
    if (standing !== undefined) share(event, standing)
    if (event.op === 'define' && event.info !== undefined) this.#stand(Standing.of(event.info))
    else if (event.op === 'set' && standing !== undefined) this.#byNumber.set(number, standing.after(event))
    const entry = this.#log.append(event, now)
    this.#audience.each(number, name, id, (watcher) => watcher.committed(entry))
    if (event.op === 'delete') this.#drop(number, name, id)
  }

  #stand(standing: Standing): void {
    const { number, name, id } = standing.born
    this.#byNumber.set(number, standing)
    this.#byName.set(name, number)
    this.#byId.set(id, number)
  }

  #drop(number: number, name: string, id: string): void {
    this.#byNumber.delete(number)
    this.#byId.delete(id)
    if (this.#byName.get(name) === number) this.#byName.delete(name)
    this.#audience.forget(number)
  }

  /** The feed was opened again: goes on, or begins anew when not all is known that was missed. */
  resume(start: FeedStart): void {
    this.#begun = []
    if (start.state.incarnation === this.#incarnation && start.missed !== undefined) {
      this.take(start.missed)
      return
    }
    this.#begin(start)
    for (const watcher of this.#audience.members) watcher.begunAnew()
    this.#settle()
  }

  #begin({ state, compacted, missed }: FeedStart): void {
    const now = this.#clock.now()
    this.#incarnation = state.incarnation
    this.#head = state.revision
    this.#log = new MirrorLog(this.#bounds, missed === undefined ? state.revision : compacted, this.#log.end)
    for (const event of missed ?? []) this.#log.append(event, now)
    this.#log.trim(now)
    this.#byNumber = new Map()
    this.#byName = new Map()
    this.#byId = new Map()
    for (const info of state.variables) this.#stand(Standing.of(info))
  }

  /** There will be no more commits. */
  end(error: BeamlineError): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#settle()
    for (const watcher of this.#audience.members) watcher.ended()
  }

  #settle(): void {
    if (this.#waiting.length === 0) return
    const through = this.#closed === undefined ? this.#head : Number.POSITIVE_INFINITY
    let met = 0
    while (met < this.#waiting.length && (this.#waiting[met] as Waiting).revision <= through) met++
    if (met > 0) for (const { then } of this.#waiting.splice(0, met)) then()
  }
}

/** Each event has come with copies of the same two texts; the log keeps many events. */
function share(event: { id: string; name: string }, { born }: Standing): void {
  event.id = born.id
  event.name = born.name
}

function add(numbers: Set<number>, number: number | undefined): void {
  if (number !== undefined) numbers.add(number)
}
