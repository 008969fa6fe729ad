import type { MessagePort } from 'node:worker_threads'
import type { Pid } from '../../threads/pid.js'
import type { ManyWritten, Metadata, VariableInfo, Written } from '../change.js'
import type { Context, Shape } from '../context.js'
import type { DefineOptions } from '../state.js'
import type { ConstraintsOf, TypeName, ValueOf } from '../types/value-types.js'
import { checkWatch, type WatchCallback, type WatchOptions } from '../watch-options.js'
import { RemoteLine, type RemoteOptions } from './remote-line.js'
import { RemoteWatch } from './remote-watch.js'
import type { Method } from './wire.js'

export { BeamlineError, type ErrorCode } from '../../errors.js'
export type { RemoteOptions, RemoteWatch }

type Name<V extends Shape> = keyof V & string

/**
 * The system behind a port that `openDoor` made, for a thread which that system did not start. The thread is kept alive by
 * calls that wait and by watches, not by this.
 * @throws BeamlineError INVALID_TYPE for a port or an option that is none
 */
export function remote(port: MessagePort, options: RemoteOptions = {}): RemoteSystem {
  return new RemoteSystem(new RemoteLine(port, options))
}

/** A system, as a foreign thread uses it through a door. */
export class RemoteSystem implements Disposable {
  readonly #line: RemoteLine

  /** @internal Made by {@link remote}. */
  constructor(line: RemoteLine) {
    this.#line = line
  }

  /**
   * A handle to a context, by its id, registered name or pid.
   * @throws BeamlineError NOT_FOUND; CALL_TIMEOUT, and what {@link close} and the end of the system make of every call
   */
  async context<V extends Shape = Shape>(to: string | Pid): Promise<RemoteContext<V>> {
    const { pid, id } = (await this.#line.ask({ kind: 'context', to })) as { pid: Pid; id: string }
    return new RemoteContext<V>(this.#line, pid, id)
  }

  /**
   * Closes the door: pending and later calls are rejected with STOPPED, and watches end. They are rejected with STOPPED
   * when the system is stopped, too, and with UNAVAILABLE when the thread that opened the door, or its process, ends.
   */
  close(): void {
    this.#line.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A context, as a foreign thread uses it: as {@link Context}, whose methods of the same names these are. */
export class RemoteContext<V extends Shape = Shape>
  implements Pick<Context<V>, Exclude<Method, 'set' | 'rollback'> | 'put'>
{
  readonly pid: Pid
  readonly id: string
  readonly #line: RemoteLine

  /** @internal Made by {@link RemoteSystem.context}. */
  constructor(line: RemoteLine, pid: Pid, id: string) {
    this.#line = line
    this.pid = pid
    this.id = id
  }

  /** As `Context.define`, with a built-in type; answers with the facts. */
  define<T extends TypeName, const C extends ConstraintsOf<T>>(
    name: Name<V>,
    type: T,
    initial: ValueOf<T, C>,
    options: DefineOptions<C> = {},
  ): Promise<VariableInfo> {
    const args = [name, type, initial, options]
    return this.#line.ask({ kind: 'define', context: this.pid, args }) as Promise<VariableInfo>
  }

  /** As `Context.set`. When the promise resolves, watches of this thread have been called. */
  set<N extends Name<V>>(
    name: N,
    value: V[N],
    metadata?: Metadata,
    options?: { readonly expectedVersion?: number },
  ): Promise<Written> {
    return this.#ask('set', name, value, metadata, options)
  }

  /** As `Context.put`: without an answer. */
  put<N extends Name<V>>(name: N, value: V[N], metadata?: Metadata): void {
    this.#line.tell({ kind: 'put', context: this.pid, args: [name, value, metadata] })
  }

  /** As `Context.get`. */
  get<N extends Name<V>>(name: N): Promise<V[N]> {
    return this.#ask('get', name)
  }

  /** As `Context.getMany`. */
  getMany<N extends Name<V>>(names: readonly N[]): Promise<{ [K in N]: V[K] }> {
    return this.#ask('getMany', names)
  }

  /** As `Context.updateMany`. */
  updateMany(
    values: { [N in Name<V>]?: V[N] },
    metadata?: Metadata,
    options?: { readonly atomic?: boolean },
  ): Promise<ManyWritten> {
    return this.#ask('updateMany', values, metadata, options)
  }

  /** As `Context.describe`. */
  describe(name: Name<V>): Promise<VariableInfo> {
    return this.#ask('describe', name)
  }

  /** As `Context.list`. */
  list(pattern?: string): Promise<VariableInfo[]> {
    return this.#ask('list', pattern)
  }

  /** As `Context.delete`. */
  delete(name: Name<V>): Promise<void> {
    return this.#ask('delete', name)
  }

  /** As `Context.history`. */
  history(name: Name<V>, options?: { readonly limit?: number }): ReturnType<Context['history']> {
    return this.#ask('history', name, options)
  }

  /** As `Context.rollback`. */
  rollback(name: Name<V>, version: number): ReturnType<Context['rollback']> {
    return this.#ask('rollback', name, version)
  }

  /** As `Context.watch`: every option means what it means there, and the functions run on this thread. */
  async watch<N extends Name<V>>(
    names: readonly N[],
    callback: WatchCallback<N, V[N]>,
    options: WatchOptions<V[N]> = {},
  ): Promise<RemoteWatch> {
    checkWatch(names, callback, options)
    return RemoteWatch.begin(this.#line, this.pid, names, callback as WatchCallback, options as WatchOptions)
  }

  /** As {@link watch}, of one variable. */
  watchOne<N extends Name<V>>(
    name: N,
    callback: WatchCallback<N, V[N]>,
    options: WatchOptions<V[N]> = {},
  ): Promise<RemoteWatch> {
    return this.watch([name], callback, options)
  }

  #ask<T>(method: Method, ...args: readonly unknown[]): Promise<T> {
    return this.#line.ask({ kind: 'ask', context: this.pid, method, args }) as Promise<T>
  }
}
