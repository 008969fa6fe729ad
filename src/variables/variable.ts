import type { Metadata, Written } from './change.js'
import type { Changes, WatchedChange } from './changes.js'
import type { Context } from './context.js'
import type { Watch } from './watch.js'
import type { WatchCallback, WatchOptions } from './watch-options.js'

/** One variable of a context, with the type of its values. */
export class Variable<T = unknown> {
  readonly name: string
  /** Unique for ever: a variable that is deleted and defined again has another. */
  readonly id: string
  readonly #context: Context

  /** @internal Made by `ctx.define`. */
  constructor(context: Context, name: string, id: string) {
    this.#context = context
    this.name = name
    this.id = id
  }

  /** As {@link Context.set}. */
  set(value: T, metadata?: Metadata, options?: { readonly expectedVersion?: number }): Promise<Written> {
    return this.#context.set(this.name, value, metadata, options)
  }

  /** As {@link Context.get}. */
  get(): Promise<T> {
    return this.#context.get(this.name) as Promise<T>
  }

  /** As {@link Context.peek}. */
  peek(): T {
    return this.#context.peek(this.name) as T
  }

  /** As {@link Context.put}. */
  put(value: T, metadata?: Metadata): void {
    this.#context.put(this.name, value, metadata)
  }

  /** As {@link Context.watchOne}. */
  watch(callback: WatchCallback<string, T>, options?: WatchOptions<T>): Promise<Watch> {
    return this.#context.watch([this.name], callback as WatchCallback, options as WatchOptions)
  }

  /** As {@link Context.changes}. */
  changes(options?: WatchOptions<T>): Changes<WatchedChange<string, T>> {
    return this.#context.changes([this.name], options as WatchOptions) as Changes<WatchedChange<string, T>>
  }
}
