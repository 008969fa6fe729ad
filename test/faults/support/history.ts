import { BeamlineError } from '../../../src/errors.js'
import type { WatchCallback, Written } from '../../../src/index.js'

/** What a client asked of a session. Values are unique: a name never gets one twice, from whomever. */
export interface Operation {
  readonly client: string
  readonly writes: Readonly<Record<string, unknown>>
  /** When, in ms of the clock that all processes of the machine share. */
  readonly invoked: number
  returned?: number
  /** `unknown`: it may or may not have been carried out. `refused`: it has not. */
  outcome: 'ok' | 'refused' | 'unknown'
  revision?: number
  versions?: Readonly<Record<string, number>>
}

/** A value as a watch was told of it last. */
export interface Told {
  readonly value: unknown
  readonly version: number
  readonly revision: number
}

export type WatchItem =
  | (Told & {
      readonly kind: 'change'
      readonly name: string
      readonly previous: unknown
      readonly initial: boolean
      readonly resync: boolean
      readonly deleted: boolean
    })
  /** The announcement that something is lost. */
  | { readonly kind: 'resync'; readonly reason: string; readonly lostFrom: number; readonly lostTo: number }
  /** All through this revision has been told. */
  | { readonly kind: 'progress'; readonly through: number }
  /** The connection was lost, and is taken up again behind this revision. */
  | { readonly kind: 'resume'; readonly through: number }

/** What one watch was told, in its order. */
export interface WatchHistory {
  readonly client: string
  readonly id: string
  readonly names: readonly string[]
  readonly every: boolean
  readonly begun: number
  /** What it had been told before, of a history that continues another. */
  readonly carried: Readonly<Record<string, Told>>
  readonly items: WatchItem[]
}

/** All that was asked and told in a run. */
export interface History {
  readonly operations: Operation[]
  readonly watches: WatchHistory[]
  /** The session once all is quiet. */
  final?: Readonly<Record<string, Told>>
  /** Whether the session's log began anew meanwhile: then revisions of different operations do not compare. */
  incarnations: 'one' | 'many'
}

/** Milliseconds of a clock that only goes forward and is the same in all processes of the machine. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** What one watch is told, as it is told. */
export class WatchRecorder {
  #history: WatchHistory

  constructor(client: string, id: string, names: readonly string[], every = true) {
    this.#history = { client, id, names, every, begun: now(), carried: {}, items: [] }
  }

  readonly callback: WatchCallback = (name, previous, value, meta) => {
    const { version, revision, initial, resync, deleted = false } = meta
    this.add({ kind: 'change', name, previous, value, version, revision, initial, resync, deleted })
  }

  readonly onResync = ({ reason, lostFrom, lostTo }: { reason: string; lostFrom: number; lostTo: number }): void => {
    this.add({ kind: 'resync', reason, lostFrom, lostTo })
  }

  add(item: WatchItem): void {
    this.#history.items.push(item)
  }

  /** What it was told last, by name. */
  get told(): Record<string, Told> {
    return toldBy(this.#history)
  }

  get changes(): number {
    return this.#history.items.length
  }

  /** The history so far; a new one continues it. */
  take(): WatchHistory {
    const history = this.#history
    this.#history = { ...history, begun: now(), carried: this.told, items: [] }
    return history
  }
}

/** What a watch was told last, by name. */
export function toldBy({ carried, items }: WatchHistory): Record<string, Told> {
  const told = { ...carried }
  for (const item of items) {
    if (item.kind !== 'change') continue
    const { name, value, version, revision, deleted } = item
    if (deleted) delete told[name]
    else told[name] = { value, version, revision }
  }
  return told
}

/** Errors after which nobody knows whether a write was carried out. */
const uncertain = new Set(['UNAVAILABLE', 'CALL_TIMEOUT', 'NOPROC', 'STOPPED'])

/** Notes what a client asks, and how it is answered. */
export class OperationRecorder {
  readonly client: string
  #operations: Operation[] = []

  constructor(client: string) {
    this.client = client
  }

  /** Never rejects; answers the revision of what was carried out. */
  async write(
    writes: Readonly<Record<string, unknown>>,
    work: () => Promise<Partial<Written> & { revision: number; versions?: Readonly<Record<string, number>> }>,
  ): Promise<number | undefined> {
    const operation: Operation = { client: this.client, writes, invoked: now(), outcome: 'unknown' }
    this.#operations.push(operation)
    try {
      const { revision, version, versions } = await work()
      operation.returned = now()
      operation.revision = revision
      operation.versions = versions ?? { [Object.keys(writes)[0] as string]: version as number }
      operation.outcome = 'ok'
      return revision
    } catch (error) {
      operation.returned = now()
      if (!(error instanceof BeamlineError)) throw error
      operation.outcome = uncertain.has(error.code) ? 'unknown' : 'refused'
      return undefined
    }
  }

  get operations(): readonly Operation[] {
    return this.#operations
  }

  take(): Operation[] {
    const operations = this.#operations
    this.#operations = []
    return operations
  }
}
