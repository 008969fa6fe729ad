import { BeamlineError, shown } from '../errors.js'
import type { Change, HistoryEntry, ManyWritten, Metadata, VariableInfo, Written } from './change.js'
import type { TypeDefinition } from './types/value-types.js'

/** A new variable. */
export interface Definition {
  readonly name: string
  readonly type: string | TypeDefinition
  readonly initial: unknown
  readonly constraints?: object
  readonly description?: string
  readonly metadata?: Metadata
}

/** What may be said of a new variable. */
export interface DefineOptions<C> {
  readonly constraints?: C
  readonly description?: string
  readonly metadata?: Metadata
}

/** One value to write. */
export interface Write {
  readonly name: string
  readonly value: unknown
  readonly metadata?: Metadata
  /** The write is refused with VERSION_CONFLICT unless the variable has this version. */
  readonly expectedVersion?: number
}

/** What one accepted request changed; every change carries its revision and version. */
export interface Commit {
  readonly changes: readonly Change[]
}

export interface BatchCommit extends Commit {
  readonly errors: Readonly<Record<string, BeamlineError>>
}

type Awaitable<T> = T | Promise<T>

/**
 * Where the variables of a context live: in its actor, or behind a bridge. Refused requests throw a `BeamlineError` and
 * change nothing.
 */
export interface StateProvider {
  readonly backend: 'local' | 'bridged'
  /** The last commit. */
  readonly revision: number
  define(definition: Definition): Awaitable<VariableInfo>
  set(write: Write): Awaitable<Commit>
  setMany(writes: readonly Write[], atomic: boolean): Awaitable<BatchCommit>
  delete(name: string): Awaitable<Commit>
  rollback(name: string, version: number): Awaitable<Commit>
  describe(name: string): Awaitable<VariableInfo>
  /** All whose name the glob matches (`*` stands for any run of characters), oldest first. */
  list(pattern: string): Awaitable<VariableInfo[]>
  /** Kept values, oldest first, the present one last. */
  history(name: string, limit: number): Awaitable<HistoryEntry[]>
  /** The changes of some variables after a revision. @throws BeamlineError COMPACTED when they are no longer kept */
  since(revision: number, names: ReadonlySet<string>): Awaitable<readonly Change[]>
}

/** How a write is answered. */
export function written({ changes }: Commit): Written {
  const { version, revision } = (changes[0] as Change).meta
  return { version, revision }
}

/** How a batch is answered, when the last commit is `present`. */
export function manyWritten({ changes, errors }: BatchCommit, present: number): ManyWritten {
  const versions = Object.fromEntries(changes.map(({ name, meta }) => [name, meta.version]))
  return { revision: changes.at(-1)?.meta.revision ?? present, versions, errors }
}

/** Whatever was given as its name. */
export function unknownVariable(name: unknown): BeamlineError {
  const text = typeof name === 'string' && name.length <= 255 ? name : shown(name)
  return new BeamlineError('NOT_FOUND', `Variable not found: ${text}: define it first`, { details: { name } })
}

/** Whatever somebody has sent to the pid of a context. */
export function notAsked(request: unknown): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `a context is not asked ${shown(request)}: use its handle`)
}
