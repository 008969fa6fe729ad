import type { TypeName } from './types/value-types.js'

/** What the writer of a value may say about it: plain data. `source` says who wrote. */
export type Metadata = Readonly<Record<string, unknown>>

/** What a watch callback is told beside the values. The writer's own metadata stands beside these. */
export interface ChangeMeta {
  /** Who wrote: the writer's `source`, else `local`. */
  readonly source: string
  /** True for a value that was there when the watch began. */
  readonly initial: boolean
  /** True for a value that makes up for changes that could not be delivered one by one. */
  readonly resync: boolean
  /** True when the variable was deleted; its value is then `undefined`, and no more follows for it. */
  readonly deleted?: boolean
  /** The commit of the context this belongs to, from 1; all variables of one `updateMany` share it. */
  readonly revision: number
  /** The number of accepted sets of this variable since it was defined. */
  readonly version: number
  /** Milliseconds since 1970, by the clock of the context's thread. */
  readonly timestamp: number
  readonly [key: string]: unknown
}

/** What only the library says of a change. */
type Facts = Pick<ChangeMeta, 'initial' | 'resync' | 'revision' | 'version' | 'timestamp'>

/** What a watch is told of a write: the writer's words and the facts, which no word can pass for, `deleted` among them. */
export function metaOf(said: Metadata, facts: Facts): ChangeMeta {
  const meta = { source: 'local', ...said, ...facts }
  return 'deleted' in said ? { ...meta, deleted: false } : meta
}

/** One variable in one commit. */
export interface Change {
  /** The variable's id, `var_<name>_<unique>`. */
  readonly id: string
  readonly name: string
  /** `undefined` for an initial value. */
  readonly previous: unknown
  readonly value: unknown
  readonly meta: ChangeMeta
}

/** The outcome of an accepted write. */
export interface Written {
  readonly version: number
  readonly revision: number
}

/** The facts about a variable. */
export interface VariableInfo {
  readonly id: string
  readonly name: string
  readonly type: string
  /** The built-in type as which the values travel: `type`, or what a type of your own is based on. */
  readonly base: TypeName
  readonly value: unknown
  readonly version: number
  /** The commit that wrote the value. */
  readonly revision: number
  readonly constraints: Readonly<Record<string, unknown>>
  readonly description: string | undefined
  readonly metadata: Metadata
  readonly createdAt: number
  readonly updatedAt: number
  /** Who alone may write it, and since when; see `ctx.lease`. */
  readonly lease?: { readonly holder: string; readonly since: number }
}

/** An earlier value of a variable. */
export interface HistoryEntry {
  readonly version: number
  readonly value: unknown
  readonly revision: number
  readonly timestamp: number
  readonly metadata: Metadata
}

/** The outcome of `updateMany`. */
export interface ManyWritten {
  /** The commit of an atomic batch; the last one of another. */
  readonly revision: number
  readonly versions: Readonly<Record<string, number>>
  /** What was refused of a batch that is not atomic; empty when nothing was. */
  readonly errors: Readonly<Record<string, import('../errors.js').BeamlineError>>
}
