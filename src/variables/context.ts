import { ownerOf } from '../actors/owner.js'
import type { CallOptions, Process } from '../actors/process.js'
import type { Startable } from '../actors/startable.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError, shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import type { HistoryEntry, ManyWritten, Metadata, VariableInfo, Written } from './change.js'
import { Changes, type WatchedChange } from './changes.js'
import { ContextLine } from './context-line.js'
import { type ContextOptions, contextStart, findContext, type Origin } from './context-spawn.js'
import { startContext } from './context-start.js'
import type { Lease, Release } from './lease.js'
import { resolveVariable } from './module-base.js'
import type { WatcherInfo } from './requests.js'
import type { DefineOptions } from './state.js'
import { defineType } from './types/definition.js'
import type { ConstraintsOf, TypeDefinition, TypeName, ValueOf } from './types/value-types.js'
import { anyHome, type ContextHost } from './upstream.js'
import { Variable } from './variable.js'
import type { Watch } from './watch.js'
import type { WatchCallback, WatchOptions } from './watch-options.js'
import { watchThrough } from './watch-through.js'

/** Names and value types of a context's variables, when they are known at compile time. */
export type Shape = Record<string, unknown>

type Name<V extends Shape> = keyof V & string

const noOptions = {}

/**
 * A set of typed variables, kept by a process of its own, which any process of the system may read, write and watch.
 * This is a handle to it, and belongs to one process: watches made through it end with that process.
 */
export class Context<V extends Shape = Shape> implements AsyncDisposable {
  readonly #line: ContextLine

  private constructor(line: ContextLine) {
    this.#line = line
  }

  /**
   * Starts a context. `by` owns the handle: a process, or a system's own process for this thread.
   * @throws BeamlineError ALREADY_EXISTS for an id in use, ALREADY_REGISTERED for a name in use; with `bridge`
   * UNAVAILABLE, PERMISSION_DENIED, and with `create: false` NOT_FOUND
   */
  static async start<V extends Shape = Shape>(
    by: ActorSystem | Process,
    options: ContextOptions = {},
    /** @internal */
    origin: Origin = {},
  ): Promise<Context<V>> {
    return new Context<V>(await startContext(ownerOf(by), options, origin))
  }

  /**
   * How a supervisor starts a context: the `start` of a child. One whose thread has died comes back as it was, and handles
   * and watches go on. After any other end handles and watches are over, it is found by its id, and its variables are to be
   * defined anew.
   * @throws BeamlineError INVALID_TYPE, BAD_ENTRY for an option that is none
   */
  static child(options: ContextOptions & { readonly id: string }): Startable {
    return contextStart(options.id, options, true)
  }

  /**
   * A handle, for `self`, to a context that was started elsewhere, by its id, registered name or pid.
   * @throws BeamlineError NOT_FOUND when there is no such context
   */
  static attach<V extends Shape = Shape>(
    self: Process | ActorSystem,
    to: string | Pid,
    options: CallOptions = {},
  ): Context<V> {
    const owner = ownerOf(self)
    if (to instanceof Pid) return new Context<V>(new ContextLine(owner, to, options))
    return new Context<V>(new ContextLine(owner, findContext(owner, to), options, to))
  }

  /** @internal As {@link attach}, of a context whose id is known without asking it. */
  static attachKnown(owner: Process, pid: Pid, id: string): Context {
    const line = new ContextLine(owner, pid, {}, id)
    // Scalars then go to it the short way; until that is known, and if it never is, the long one.
    line.open().catch(() => {})
    return new Context(line)
  }

  /** @internal Has a handle learn what it else learns on its way: then scalars go the short way, and it is found again. */
  static acquaint(context: Context): Promise<void> {
    return context.#line.open()
  }

  /** The process that is the context at present: another when the thread of the one before has died. */
  get pid(): Pid {
    return this.#line.pid
  }

  /** Where its state lives: in this system, or in a session on the other side of a bridge. */
  get backend(): 'local' | 'bridged' {
    return this.#line.isElsewhere ? 'bridged' : 'local'
  }

  /**
   * Has the context go on in a session with its id, on the other side of a bridge (the first of this system unless told),
   * with state, history and watches, while others write: nothing is lost or told twice. Nothing happens where it was done.
   * @throws BeamlineError ALREADY_EXISTS when there is such a session, or the context lives behind another bridge;
   * UNAVAILABLE when there is no bridge, or it is not connected. The context then goes on where it is
   */
  async ensureBridged(bridge?: ContextHost): Promise<void> {
    await this.#line.move(bridge?.home(true) ?? (await anyHome(this.#line.owner)))
  }

  /** A value type of your own, to be given to `define`; see {@link defineType}. */
  static readonly defineType = defineType

  /** The id, once known: a handle made from a pid learns it with its first request. */
  get id(): string {
    return this.#line.id
  }

  /**
   * Defines a variable; its version is then 0.
   * @throws BeamlineError ALREADY_EXISTS; INVALID_TYPE for a type or value that is none; CONSTRAINT for a value or for
   * constraints that cannot be met
   */
  async define<T extends TypeName, const C extends ConstraintsOf<T>>(
    name: Name<V>,
    type: T,
    initial: ValueOf<T, C>,
    options?: DefineOptions<C>,
  ): Promise<Variable<ValueOf<T, C>>>
  async define<T>(
    name: Name<V>,
    type: TypeDefinition<T>,
    initial: T,
    options?: DefineOptions<object>,
  ): Promise<Variable<T>>
  async define(name: string, type: string | TypeDefinition, initial: unknown, options: DefineOptions<object> = {}) {
    const definition = { name, type, initial, ...options }
    const { id } = (await this.#line.ask({ kind: 'define', definition })) as VariableInfo
    return new Variable(this as Context, name, id)
  }

  /**
   * Writes a value. When the promise resolves, watches on this thread have been called.
   * @throws BeamlineError NOT_FOUND, INVALID_TYPE, CONSTRAINT, VERSION_CONFLICT; nothing has changed then
   */
  set<N extends Name<V>>(
    name: N,
    value: V[N],
    metadata?: Metadata,
    options: { readonly expectedVersion?: number } = noOptions,
  ): Promise<Written> {
    return this.#line.set(name, value, metadata, options.expectedVersion) as Promise<Written>
  }

  /** Writes a value without an answer; what is refused is a process warning on the context's thread. */
  put<N extends Name<V>>(name: N, value: V[N], metadata?: Metadata): void {
    this.#line.put(name, value, metadata)
  }

  /** The value, after every write that this thread has sent before. @throws BeamlineError NOT_FOUND */
  get<N extends Name<V>>(name: N): Promise<V[N]> {
    return this.#line.get(name) as Promise<V[N]>
  }

  /** The values of some variables at one moment. @throws BeamlineError NOT_FOUND for any that is missing */
  async getMany<N extends Name<V>>(names: readonly N[]): Promise<{ [K in N]: V[K] }> {
    const values = (await this.#line.ask({ kind: 'get', names })) as unknown[]
    return Object.fromEntries(names.map((name, index) => [name, values[index]])) as { [K in N]: V[K] }
  }

  /**
   * The value, at once, from shared memory: never older than this thread's last awaited write.
   * @throws BeamlineError NOT_FOUND, STOPPED
   */
  peek<N extends Name<V>>(name: N): V[N] {
    return this.#line.peek(name) as V[N]
  }

  /** @throws BeamlineError NOT_FOUND */
  describe(name: Name<V>): Promise<VariableInfo> {
    return this.#line.ask({ kind: 'describe', name }) as Promise<VariableInfo>
  }

  /** The variables whose name the glob matches, where `*` stands for any characters; oldest first. All unless told. */
  list(pattern = '*'): Promise<VariableInfo[]> {
    return this.#line.ask({ kind: 'list', pattern }) as Promise<VariableInfo[]>
  }

  /** Removes a variable; its watches are told of it, `deleted` in the meta, and then of nothing more. */
  async delete(name: Name<V>): Promise<void> {
    await this.#line.ask({ kind: 'delete', name })
  }

  /**
   * Writes several variables: all of them in one revision or none, or, with `atomic: false`, each by itself, refusals in
   * `errors`.
   * @throws BeamlineError with the code of the first refusal of an atomic batch; `details.errors` has all
   */
  async updateMany(
    values: { [N in Name<V>]?: V[N] },
    metadata?: Metadata,
    options: { readonly atomic?: boolean } = {},
  ): Promise<ManyWritten> {
    if (typeof values !== 'object' || values === null)
      throw new BeamlineError('INVALID_TYPE', `updateMany: values is ${shown(values)}: give an object, name: value`)
    const writes = Object.entries(values).map(([name, value]) => ({ name, value, ...(metadata && { metadata }) }))
    return this.#line.ask({ kind: 'set-many', writes, atomic: options.atomic ?? true }) as Promise<ManyWritten>
  }

  /** The kept values of a variable, oldest first, the present one last; with `limit` the newest so many. */
  history(name: Name<V>, options: { readonly limit?: number } = {}): Promise<HistoryEntry[]> {
    const { limit = Number.MAX_SAFE_INTEGER } = options
    return this.#line.ask({ kind: 'history', name, limit }) as Promise<HistoryEntry[]>
  }

  /** Writes the value of an earlier version again, as a new version. @throws BeamlineError NOT_FOUND, COMPACTED */
  rollback(name: Name<V>, version: number): Promise<Written & { readonly value: unknown }> {
    return this.#line.ask({ kind: 'rollback', name, version }) as Promise<Written & { value: unknown }>
  }

  /**
   * Takes a variable for one writer: until it is released every write without its token, as `optimization_id` in the
   * metadata, is refused, and so are rollback and deletion. The holder may take it again: the token before is then void.
   * @throws BeamlineError LOCKED when another has it, NOT_FOUND, INVALID_TYPE for a holder that is no text
   */
  lease(name: Name<V>, holder: string): Promise<Lease> {
    return this.#line.ask({ kind: 'lease', name, holder }) as Promise<Lease>
  }

  /**
   * Ends a lease, with its token or by force; answers whether there was one.
   * @throws BeamlineError LOCKED for another token, NOT_FOUND
   */
  release(name: Name<V>, how: Release): Promise<boolean> {
    return this.#line.ask({ kind: 'release', name, how }) as Promise<boolean>
  }

  /**
   * Calls back for every change of some variables, in the order of their commits, on this thread. What is written after
   * this call, even before the promise resolves, is seen; with `includeInitial` so is what was there before.
   * @throws BeamlineError NOT_FOUND, INVALID_TYPE for options that make no sense, COMPACTED for `sinceRevision`
   */
  async watch<N extends Name<V>>(
    names: readonly N[],
    callback: WatchCallback<N, V[N]>,
    options: WatchOptions<V[N]> = {},
  ): Promise<Watch> {
    return watchThrough(this.#line, names, callback as WatchCallback, options as WatchOptions)
  }

  /** As {@link watch}, of one variable. */
  async watchOne<N extends Name<V>>(
    name: N,
    callback: WatchCallback<N, V[N]>,
    options: WatchOptions<V[N]> = {},
  ): Promise<Watch> {
    return watchThrough(this.#line, [name], callback as WatchCallback, options as WatchOptions)
  }

  /** Ends a watch, as `watch.stop()` does. */
  unwatch(watch: Watch): Promise<void> {
    return watch.stop()
  }

  /** The changes of some variables for `for await`, from this call on; leaving the loop ends the watch. */
  changes<N extends Name<V>>(names: readonly N[], options: WatchOptions<V[N]> = {}): Changes<WatchedChange<N, V[N]>> {
    return new Changes(
      (callback, all, made) => watchThrough(this.#line, names, callback, all, made),
      options as WatchOptions,
    )
  }

  /** Who watches this context. */
  listWatchers(): Promise<WatcherInfo[]> {
    return this.#line.ask({ kind: 'watchers' }) as Promise<WatcherInfo[]>
  }

  /**
   * Imports what a module variable names, from the base its namespace was given at `start`.
   * @throws BeamlineError INVALID_TYPE for another variable; NOT_FOUND when no base holds it; BAD_ENTRY when it fails to
   * load
   */
  async resolve(name: Name<V>): Promise<unknown> {
    return resolveVariable(await this.describe(name), await this.#line.modules())
  }

  /**
   * Ends the context, for everyone; it is dead when this resolves. Other handles then reject with NOPROC. One that lives
   * behind a bridge leaves its session, which goes on.
   */
  stop(): Promise<void> {
    return this.#line.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
