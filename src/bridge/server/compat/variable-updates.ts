import { withSource } from '../../../variables/value-history.js'
import type { VariableUpdate } from '../../gen/snakepit/bridge/bridge.js'
import { encodeAny } from '../../wire/any-codec.js'
import { encodeMetadata, encodeVariable } from '../../wire/variable-codec.js'
import type { Mirror } from '../mirror.js'
import { Standing } from '../mirror-standing.js'
import type { Outgoing } from '../stream-pending.js'

/** Why a client is told values instead of the changes that led to them. */
export interface Resync {
  readonly reason: string
  readonly lostFrom: number
  readonly lostTo: number
}

/** What the clients of the compatible service are told of a session: each variable whole, as it was after each change. */
export class VariableUpdates {
  readonly #mirror: Mirror
  /** Each variable as it was last told. */
  readonly #told = new Map<number, Standing>()

  constructor(mirror: Mirror) {
    this.#mirror = mirror
  }

  /** A variable as it is when the watch begins. */
  initial(standing: Standing): VariableUpdate {
    this.#told.set(standing.born.number, standing)
    return this.#whole('initial_value', standing)
  }

  /** It is known without having been told. */
  known(standing: Standing): void {
    this.#told.set(standing.born.number, standing)
  }

  event({ entry: { event }, conflated }: Outgoing): VariableUpdate {
    const { number, op, id, revision, timestamp, previous, info } = event
    const before = this.#told.get(number) ?? this.#mirror.numbered(number)
    const base = info?.base ?? before?.born.base ?? 'json'
    const common = {
      revision,
      timestamp: new Date(timestamp),
      conflated,
      oldValue: previous === undefined ? undefined : encodeAny(previous, base).value,
    }
    if (op === 'delete') {
      this.#told.delete(number)
      return { ...this.#bare('deleted', revision), ...common, variableId: id }
    }
    const standing = info === undefined ? before?.after(event) : Standing.of(info)
    // What a watch is told that goes on after another may be about a variable that has gone since.
    if (standing === undefined) return { ...this.#bare('value_change', revision), ...common, variableId: id }
    this.#told.set(number, standing)
    return { ...this.#whole('value_change', standing), ...common, ...this.#said(event.said, revision) }
  }

  /** What makes up for changes that are no longer known: those that are gone, and those that are there. */
  resync(present: readonly Standing[], { reason, lostFrom, lostTo }: Resync): VariableUpdate[] {
    const words = { reason, lost_from: String(lostFrom), lost_to: String(lostTo) }
    const numbers = new Set(present.map(({ born }) => born.number))
    const gone = [...this.#told.values()].filter(({ born }) => !numbers.has(born.number))
    const updates = gone.map(({ born: { id } }) => ({ ...this.#bare('deleted', lostTo), variableId: id }))
    updates.push(...present.map((standing) => this.#whole('resync', standing)))
    this.#told.clear()
    for (const standing of present) this.#told.set(standing.born.number, standing)
    return updates.map((update) => ({ ...update, updateMetadata: { ...words, ...update.updateMetadata } }))
  }

  /** Of no variable. */
  note(updateType: 'initial_end' | 'heartbeat', revision: number): VariableUpdate {
    return this.#bare(updateType, revision)
  }

  #whole(updateType: string, standing: Standing): VariableUpdate {
    const { born, metadata, updatedAt, revision, info } = standing
    return {
      ...this.#bare(updateType, revision),
      ...this.#said(metadata, revision),
      variableId: born.id,
      variable: encodeVariable(info),
      timestamp: new Date(updatedAt),
    }
  }

  #said(said: Parameters<typeof withSource>[0], revision: number) {
    const metadata = withSource(said)
    const { incarnation } = this.#mirror
    return {
      updateSource: String(metadata['source']),
      updateMetadata: { ...encodeMetadata(metadata), revision: String(revision), incarnation },
    }
  }

  #bare(updateType: string, revision: number): VariableUpdate {
    const { incarnation } = this.#mirror
    return {
      variableId: '',
      variable: undefined,
      updateSource: '',
      updateMetadata: { revision: String(revision), incarnation },
      timestamp: new Date(),
      updateType,
      oldValue: undefined,
      revision,
      incarnation,
      conflated: 0,
    }
  }
}
