import { BeamlineError, shown } from '../errors.js'
import { type Change, type HistoryEntry, type Metadata, metaOf, type VariableInfo } from './change.js'
import type { Definition } from './state.js'
import type { Validator } from './types/index.js'

/** The metadata of a writer who gave none. */
const unsaid: { readonly source: string } = Object.freeze({ source: 'local' })

/** One variable in a context's own memory, with the values it had. */
export class StoredVariable {
  readonly id: string
  readonly name: string
  readonly validator: Validator
  readonly #description: string | undefined
  readonly #createdAt: number
  readonly #historyLimit: number
  #history: HistoryEntry[]
  /** Everything said of it so far, later words over earlier ones. */
  #metadata: Metadata

  constructor(id: string, definition: Definition, validator: Validator, revision: number, historyLimit: number) {
    this.id = id
    this.name = definition.name
    this.validator = validator
    this.#description = definition.description
    this.#createdAt = Date.now()
    this.#historyLimit = historyLimit
    this.#metadata = definition.metadata === undefined ? unsaid : { ...unsaid, ...definition.metadata }
    const value = validator.parse(definition.name, definition.initial)
    this.#history = [{ version: 0, value, revision, timestamp: this.#createdAt, metadata: this.#metadata }]
  }

  get present(): HistoryEntry {
    return this.#history[this.#history.length - 1] as HistoryEntry
  }

  /** Makes `value`, which was validated, the present one. */
  commit(value: unknown, revision: number, metadata?: Metadata): Change {
    const { version: before, value: previous } = this.present
    const version = before + 1
    const timestamp = Date.now()
    const said = metadata === undefined ? unsaid : { ...unsaid, ...metadata }
    if (this.#metadata !== said) this.#metadata = { ...this.#metadata, ...said }
    this.#history.push({ version, value, revision, timestamp, metadata: said })
    if (this.#history.length > 2 * this.#historyLimit) this.#history = this.#history.slice(-this.#historyLimit)
    const meta = metaOf(said, { initial: false, resync: false, revision, version, timestamp })
    return { id: this.id, name: this.name, previous, value, meta }
  }

  /** The present value as the first thing a watch is told. */
  initial(): Change {
    const { version, value, revision, timestamp, metadata } = this.present
    const meta = metaOf(metadata, { initial: true, resync: false, revision, version, timestamp })
    return { id: this.id, name: this.name, previous: undefined, value, meta }
  }

  /** The last thing its watches are told. */
  deletion(revision: number): Change {
    const { version, value: previous } = this.present
    const meta = {
      source: 'local',
      initial: false,
      resync: false,
      deleted: true,
      revision,
      version,
      timestamp: Date.now(),
    }
    return { id: this.id, name: this.name, previous, value: undefined, meta }
  }

  info(): VariableInfo {
    const { id, name } = this
    const { value, version, revision, timestamp } = this.present
    const { type, base, constraints } = this.validator
    return {
      id,
      name,
      type,
      base,
      value,
      version,
      revision,
      constraints,
      description: this.#description,
      metadata: this.#metadata,
      createdAt: this.#createdAt,
      updatedAt: timestamp,
    }
  }

  history(limit: number): HistoryEntry[] {
    const { length } = this.#history
    return this.#history.slice(length - Math.min(limit, this.#historyLimit, length))
  }

  /** @throws BeamlineError NOT_FOUND for a version that never was, COMPACTED for one that is no longer kept */
  at(version: number): HistoryEntry {
    const kept = this.history(this.#historyLimit)
    const found = kept.find((entry) => entry.version === version)
    if (found !== undefined) return found
    const oldest = (kept[0] as HistoryEntry).version
    const range = `versions ${oldest} to ${this.present.version} are kept`
    const past = Number.isInteger(version) && version >= 0 && version < oldest
    throw new BeamlineError(
      past ? 'COMPACTED' : 'NOT_FOUND',
      `${this.name} has no version ${shown(version)}: ${range}`,
      {
        details: { name: this.name, version, oldest, newest: this.present.version },
      },
    )
  }
}
