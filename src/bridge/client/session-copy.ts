import type { CommitEvent, SessionState } from '../../variables/session-state.js'
import {
  type Batch,
  type Created,
  ResumeResult,
  type Snapshot,
  type WatchProgress,
} from '../gen/snakepit/bridge/watch/v1/watch.js'
import { fromVariable } from '../wire/native-codec.js'
import { EventTrain } from './event-train.js'
import { Replica } from './replica.js'

/** What has come and is to be told. */
export interface News {
  readonly events: readonly CommitEvent[]
  readonly through: number
  readonly head: number
}

/** Where a watch goes on. */
export interface Token {
  readonly incarnation: string
  readonly revision: number
}

/** A session as its watch brings it. */
export class SessionCopy {
  #replica: Replica | undefined
  #train = new EventTrain(0)
  #created: Created | undefined
  #variables: Snapshot['variables'] = []
  #out: CommitEvent[] = []
  #told = 0
  #head = 0
  /** The last revision of which the server no longer has everything. */
  #compacted = 0

  get isEmpty(): boolean {
    return this.#replica === undefined
  }

  get revision(): number {
    return this.#replica?.revision ?? 0
  }

  get lag(): number {
    return this.isEmpty ? 0 : Math.max(0, this.#head - this.revision)
  }

  get token(): Token | undefined {
    return this.#replica && { incarnation: this.#replica.incarnation, revision: this.#replica.revision }
  }

  /** Nothing is to be told of what came before. */
  state(): SessionState | undefined {
    return this.#replica?.state()
  }

  /**
   * What somebody lacks who has seen that much: nothing but what is still to come, or also what has been told to others, or
   * all of it.
   */
  lackOf(seen: SessionState | undefined): 'news' | 'rest' | 'all' {
    const { token } = this
    if (seen === undefined || token?.incarnation !== seen.incarnation || seen.revision > this.#head) return 'all'
    if (seen.revision >= token.revision) return 'news'
    return seen.revision < this.#compacted ? 'all' : 'rest'
  }

  /** Goes on from what somebody else knows. */
  become(state: SessionState): void {
    this.#replica = new Replica(state)
    this.#told = state.revision
    this.#out = []
  }

  clear(): void {
    this.#replica = undefined
    this.#out = []
  }

  /** A watch begins, from {@link token} on if there is one. */
  watch(): void {
    this.#created = undefined
    this.#variables = []
  }

  /** @returns whether it goes on where it was */
  created(created: Created): boolean {
    this.#created = created
    this.#variables = []
    this.#head = created.revision
    const lacked = created.resume === ResumeResult.RESUME_RESULT_COMPACTED ? this.revision + 1 : 0
    this.#compacted = Math.max(created.compacted, lacked)
    if (created.resume !== ResumeResult.RESUME_RESULT_RESUMED || this.#replica === undefined) return false
    this.#train = new EventTrain(this.#replica.revision)
    return true
  }

  /** @returns how it was announced, once all of it is there; undefined before. @throws BeamlineError for nonsense */
  snapshot({ variables, last }: Snapshot): ResumeResult | undefined {
    const created = this.#created
    if (created === undefined) return undefined
    this.#variables.push(...variables)
    if (!last) return undefined
    const { incarnation, revision, resume } = created
    this.become({ incarnation, revision, variables: this.#variables.map(fromVariable) })
    this.#variables = []
    this.#train = new EventTrain(revision)
    return resume
  }

  /** @returns whether it follows what was before. @throws BeamlineError INVALID_TYPE for events that make no sense */
  batch(batch: Batch): boolean {
    const replica = this.#replica
    if (replica === undefined || batch.prev !== this.#train.through) return false
    for (const event of this.#train.take(batch)) this.#out.push(replica.take(event))
    replica.revision = this.#train.whole
    this.#head = Math.max(this.#head, batch.through)
    return true
  }

  progress({ through, head }: WatchProgress): void {
    if (this.#replica === undefined) return
    this.#replica.revision = this.#train.pass(through)
    this.#head = head
  }

  /** What has come since it was asked last. */
  news(): News | undefined {
    const through = this.revision
    if (this.#out.length === 0 && through === this.#told) return undefined
    const events = this.#out
    this.#out = []
    this.#told = through
    return { events, through, head: Math.max(this.#head, through) }
  }
}
