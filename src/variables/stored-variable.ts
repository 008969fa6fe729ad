import { randomBytes } from 'node:crypto'
import { BeamlineError, shown } from '../errors.js'
import { type Change, type HistoryEntry, type Metadata, metaOf, type VariableInfo } from './change.js'
import type { Lease } from './lease.js'
import { deleted, type LogRecord } from './log-half.js'
import type { Definition } from './state.js'
import type { Validator } from './types/index.js'
import { unsaid, ValueHistory, withSource } from './value-history.js'

/** An id for a new variable. It belongs to one context: a copy elsewhere, of which others may be told, has another. */
export const newId = (name: string): string => `var_${name}_${randomBytes(8).toString('hex')}`

/** What never changes of a variable. */
export interface Birth {
  /** The variable's, for signals: small, in the order of the definitions, and never another's. */
  readonly number: number
  readonly id: string
  readonly createdAt: number
  /** The commit that defined it. */
  readonly revision: number
  readonly definition: Omit<Definition, 'initial' | 'metadata'>
  /** The variable of the session that this one is a copy of. */
  readonly elsewhere?: Pick<Birth, 'number' | 'id'>
}

/** What is kept of a variable besides the log. */
export interface Known {
  /** What was said of it up to a commit. */
  readonly metadata: Metadata
  readonly at: number
  /** What the writer of this version said. */
  readonly version: number
  readonly said: Metadata | undefined
  /** The commit that deleted it, when the log no longer needs to tell of that. */
  readonly deletedAt: number | undefined
  readonly lease?: Lease | undefined
}

/** One variable of a context, as its actor knows it; what others may read of it, and what outlives the actor, is shared. */
export class StoredVariable {
  readonly number: number
  readonly name: string
  birth: Birth
  readonly validator: Validator
  /** Its place in the table of present values. */
  entry = -1
  /** The number of accepted sets; -1 before there is a value. */
  version = -1
  /** The present value, and the one before it, if there was one. */
  value: unknown
  previous: unknown
  /** The commit that wrote the present value, and when. */
  revision = 0
  timestamp = 0
  /** Everything said of it so far, later words over earlier ones. */
  metadata: Metadata
  /** Kept in its definition. */
  lease: Lease | undefined
  readonly #history: ValueHistory
  readonly #saved: Known | undefined

  /** @param saved what is known of one that was there before */
  constructor(birth: Birth, validator: Validator, historyLimit: number, saved?: Known) {
    this.number = birth.number
    this.name = birth.definition.name
    this.birth = birth
    this.validator = validator
    this.metadata = saved?.metadata ?? unsaid
    this.lease = saved?.lease
    this.#saved = saved
    this.#history = new ValueHistory(historyLimit)
  }

  /** The commit that deleted it, if its definition knows. */
  get deletedAt(): number | undefined {
    return this.#saved?.deletedAt
  }

  get id(): string {
    return this.birth.id
  }

  /** What the present value's writer said, if anything. */
  get said(): Metadata | undefined {
    return this.#history.said(this.version)
  }

  /** Makes `value`, which is committed, the present one, and says whether that changed what is said of the variable. */
  commit(version: number, value: unknown, revision: number, timestamp: number, said: Metadata | undefined): boolean {
    this.#keep(version, value, revision, timestamp, said)
    if (said === undefined && this.metadata['source'] === unsaid.source) return false
    this.metadata = { ...this.metadata, ...withSource(said) }
    return true
  }

  #keep(version: number, value: unknown, revision: number, timestamp: number, said: Metadata | undefined): void {
    this.#history.push(version, value, revision, timestamp, said)
    this.previous = version === 0 ? undefined : this.value
    this.version = version
    this.value = value
    this.revision = revision
    this.timestamp = timestamp
  }

  /** Takes in what the log tells of it; answers as {@link commit}. */
  restore({ version, value, revision, timestamp, said }: LogRecord): boolean {
    if (revision > (this.#saved?.at ?? 0)) return this.commit(version, value, revision, timestamp, said)
    this.#keep(version, value, revision, timestamp, said)
    return false
  }

  /** The same without any value, to be defined by a commit. */
  newborn(): StoredVariable {
    return new StoredVariable(this.birth, this.validator, this.#history.limit)
  }

  /** Takes in a past that it has elsewhere, oldest first. */
  past(entries: Iterable<HistoryEntry>): void {
    for (const { version, value, revision, timestamp, metadata } of entries)
      this.#keep(version, value, revision, timestamp, metadata)
  }

  /** Takes in the present value, of which the log no longer tells. */
  present(version: number, value: unknown, { revision, timestamp }: { revision: number; timestamp: number }): void {
    const said = this.#saved?.version === version ? this.#saved.said : undefined
    this.#keep(version, value, revision, timestamp, said)
  }

  /** The last commit, as its watches are told it. */
  change(): Change {
    return changeOf(this, this.previous, this.value, this.said, {
      initial: false,
      revision: this.revision,
      version: this.version,
      timestamp: this.timestamp,
    })
  }

  /** The present value as the first thing a watch is told. */
  initial(): Change {
    return changeOf(this, undefined, this.value, this.said, {
      initial: true,
      revision: this.revision,
      version: this.version,
      timestamp: this.timestamp,
    })
  }

  /** What stands of it in the log. */
  logged({ kind, previous, value, said, revision, version, timestamp }: LogRecord): Change {
    if (kind === deleted) return this.deletion(previous, revision, version, timestamp)
    return changeOf(this, previous, value, said, { initial: false, revision, version, timestamp })
  }

  /** The last thing its watches are told. */
  deletion(previous: unknown, revision: number, version: number, timestamp: number): Change {
    const facts = { initial: false, resync: false, deleted: true, revision, version, timestamp }
    return { id: this.id, name: this.name, previous, value: undefined, meta: { source: 'local', ...facts } }
  }

  info(): VariableInfo {
    const { id, name, value, version, revision, metadata, lease } = this
    const { type, base, constraints } = this.validator
    const { createdAt, definition } = this.birth
    return {
      id,
      name,
      type,
      base,
      value,
      version,
      revision,
      constraints,
      description: definition.description,
      metadata,
      createdAt,
      updatedAt: this.timestamp,
      ...(lease !== undefined && { lease: { holder: lease.holder, since: lease.since } }),
    }
  }

  history(limit: number): HistoryEntry[] {
    const count = Math.min(limit, this.#history.count)
    return Array.from({ length: count }, (_, at) => this.#history.entry(this.version - count + 1 + at))
  }

  /** @throws BeamlineError NOT_FOUND for a version that never was, COMPACTED for one that is no longer kept */
  at(version: number): HistoryEntry {
    const { oldest } = this.#history
    const isNumber = Number.isInteger(version) && version >= 0
    if (isNumber && version >= oldest && version <= this.version) return this.#history.entry(version)
    const range = `versions ${oldest} to ${this.version} are kept`
    throw new BeamlineError(
      isNumber && version < oldest ? 'COMPACTED' : 'NOT_FOUND',
      `${this.name} has no version ${shown(version)}: ${range}`,
      { details: { name: this.name, version, oldest, newest: this.version } },
    )
  }
}

function changeOf(
  { id, name }: StoredVariable,
  previous: unknown,
  value: unknown,
  said: Metadata | undefined,
  facts: { initial: boolean; revision: number; version: number; timestamp: number },
): Change {
  return { id, name, previous, value, meta: metaOf(said ?? unsaid, { ...facts, resync: false }) }
}
