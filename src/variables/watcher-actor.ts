import { channel } from 'node:diagnostics_channel'
import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { type EntryName, importModule } from '../actors/entry.js'
import { Exit, reasonFrom } from '../actors/exit-reason.js'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import { type ChangeMeta, metaOf, type VariableInfo } from './change.js'
import { Context } from './context.js'
import { nextContext } from './context-keeper.js'
import { ObserverManager } from './observer-manager.js'
import { isRecord } from './shape.js'
import type { WatchOptions } from './watch-options.js'
import { WatcherPosition } from './watcher-position.js'
import type { WatcherCallback } from './watcher-spec.js'

/** What a watcher is made with. */
export interface WatcherArgs {
  readonly id: string
  readonly context: string | Pid
  readonly names: readonly string[]
  readonly callback: EntryName
  readonly options: Omit<WatchOptions, 'includeInitial' | 'sinceRevision'>
  readonly includeInitial: boolean
  readonly resume: boolean
  readonly position: SharedArrayBuffer
}

/** Milliseconds between two looks for a context, or its variables, that is not there again yet. */
const PATIENCE = 20
const again = { watcher: 'again' }
const resyncs = channel('beamline:watcherResync')

/** The process that is a watcher. Loaded by name. */
export const watcherActor = behaviour<WatcherArgs>(async (self, args) => {
  const position = new WatcherPosition(args.position, self.pid.node)
  const predecessor = position.watcher
  // It is dead, and the managers hear of that by themselves; not always before this process watches, though.
  if (predecessor !== undefined) await ObserverManager.of(self).removeAllOf(predecessor)
  const callback = await load(args.callback)
  const isFirst = position.starts === 0
  if (isFirst || !args.resume) position.reset()
  const watcher = new WatcherActor(self, args, position, callback)
  if (isFirst) await watcher.attach()
  position.began(self.pid)
  return watcher
})

async function load({ module, export: name }: EntryName): Promise<WatcherCallback> {
  const found = (await importModule(module))[name]
  if (typeof found === 'function') return found as WatcherCallback
  const text = `the module ${module} exports no function '${name}': export the watcher's callback`
  throw new BeamlineError('BAD_ENTRY', text, { details: { module, export: name } })
}

/** Watches for as long as it lives; what its callback throws ends it, and its successor goes on from its position. */
class WatcherActor implements Behaviour {
  readonly #self: Process
  readonly #args: WatcherArgs
  readonly #position: WatcherPosition
  readonly #callback: WatcherCallback
  readonly #indices: ReadonlyMap<string, number>
  #context: Context | undefined
  /** While present values make up for changes that were missed: what is left of them. */
  #behind: { readonly names: Set<string>; newest: number } | undefined

  constructor(self: Process, args: WatcherArgs, position: WatcherPosition, callback: WatcherCallback) {
    this.#self = self
    this.#args = args
    this.#position = position
    this.#callback = callback
    this.#indices = new Map(args.names.map((name, index) => [name, index]))
  }

  begin(): Promise<void> {
    return this.#begin()
  }

  handle(message: unknown): void | Promise<void> {
    if (isRecord(message) && message['watcher'] === again.watcher) return this.#begin()
  }

  /** A successor waits for a context that is not there; the first watcher tells who starts it. */
  async #begin(): Promise<void> {
    try {
      const context = this.#context ?? (await this.attach())
      await this.#dropDeleted(context)
      await this.#tellDue(context)
      await this.#watch(context)
    } catch (error) {
      if (!this.#isWorthWaiting(error)) throw error
      this.#context = undefined
      this.#self.sendAfter(this.#self.pid, again, PATIENCE)
    }
  }

  /** Another context may come under the same id, and its variables after it; what was just deleted is left out then. */
  #isWorthWaiting(error: unknown): boolean {
    if (!(error instanceof BeamlineError)) return false
    const { starts, context } = this.#position
    if (error.code === 'NOT_FOUND' && this.#context?.pid.equals(context)) return true
    if (starts < 2 || typeof this.#args.context !== 'string') return false
    return error.code === 'NOPROC' || error.code === 'NOT_FOUND'
  }

  /** What was deleted while nobody watched is watched no more, and its last changes cannot be told. */
  async #dropDeleted(context: Context): Promise<void> {
    const present = new Set((await context.list()).map(({ name }) => name))
    for (const name of this.#open()) {
      const done = this.#doneOf(name)
      if (done === undefined || present.has(name)) continue
      this.#position.deleted(this.#index(name))
      this.#position.resynced()
      resyncs.publish({ id: this.#args.id, name, lostFrom: done + 1, deleted: true })
    }
  }

  /** Finds the context, and where to begin unless that is known. @throws BeamlineError NOT_FOUND */
  async attach(): Promise<Context> {
    const { context: to, includeInitial, resume } = this.#args
    const context = Context.attach(this.#self, to)
    this.#context = context
    const position = this.#position
    const before = position.context
    if (position.revision !== undefined && (await this.#isSame(context, before))) {
      position.enter(context.pid)
      return context
    }
    position.reset()
    const infos = await this.#snapshot(context)
    // Of a context that comes after another, all is news.
    const isNext = resume && before !== undefined && !includeInitial
    const beginning = (revision: number) => (isNext ? 0 : revision)
    for (const { name, revision } of includeInitial ? [] : infos) position.done(this.#index(name), beginning(revision))
    position.reached(beginning(Math.max(...infos.map(({ revision }) => revision))))
    position.enter(context.pid)
    return context
  }

  /** Whether a context is the one that a process was, or has come back since the thread of that died. */
  async #isSame({ pid }: Context, before: Pid | undefined): Promise<boolean> {
    if (before === undefined || pid.equals(before)) return before !== undefined
    return (await nextContext(this.#self, before))?.equals(pid) === true
  }

  /** The present values with which the watch begins, of those variables of which nothing was told. */
  async #tellDue(context: Context): Promise<void> {
    if (this.#open().every((name) => this.#doneOf(name) !== undefined)) return
    for (const info of await this.#snapshot(context)) {
      const { name, value, revision, version, updatedAt: timestamp, metadata } = info
      if (this.#doneOf(name) !== undefined) continue
      const meta = metaOf(metadata, { initial: true, resync: false, revision, version, timestamp })
      await this.#callback(name, undefined, value, meta, this.#self)
      this.#done(name, meta)
    }
  }

  /** The facts about all watched variables at one moment. */
  async #snapshot(context: Context): Promise<VariableInfo[]> {
    const all = new Map((await context.list()).map((info) => [info.name, info]))
    return Promise.all(this.#open().map((name) => all.get(name) ?? context.describe(name)))
  }

  /** Every change after those that are done; where they are not all kept, present values make up for them. */
  async #watch(context: Context): Promise<void> {
    const names = this.#open()
    if (names.length === 0) throw new Exit('normal')
    try {
      await this.#follow(context, names, { sinceRevision: this.#since(names) })
    } catch (error) {
      if (!(error instanceof BeamlineError) || error.code !== 'COMPACTED') throw error
      this.#behind = { names: new Set(names), newest: 0 }
      await this.#follow(context, names, { includeInitial: true })
    }
  }

  async #follow(context: Context, names: readonly string[], beginning: WatchOptions): Promise<void> {
    const onError = (error: unknown) => this.#crash(error)
    const options = { ...this.#args.options, ...beginning, onError }
    const watch = await context.watch(names, (...change) => this.#changed(...change), options)
    watch.onEnd((error) => this.#ended(error))
  }

  /**
   * Where to begin. Changes come in the order of revisions, so that only of the last one something may be left, and only
   * with several variables; what is slowed down is told in another order.
   */
  #since(names: readonly string[]): number {
    const { debounce, throttle } = this.#args.options
    if (debounce !== undefined || throttle !== undefined)
      return Math.min(...names.map((name) => this.#doneOf(name) as number))
    const { revision = 0 } = this.#position
    return this.#indices.size === 1 ? revision : Math.max(revision - 1, 0)
  }

  #changed(name: string, previous: unknown, value: unknown, meta: ChangeMeta): void | Promise<void> {
    if (meta.revision <= (this.#doneOf(name) as number)) return this.#done(name, meta)
    const told = meta.initial ? this.#lost(name, meta) : meta
    try {
      const result = this.#callback(name, previous, value, told, this.#self)
      if (!(result instanceof Promise)) return this.#done(name, meta)
      return result.then(
        () => this.#done(name, meta),
        (error: unknown) => this.#crash(error),
      )
    } catch (error) {
      this.#crash(error)
    }
  }

  /** This value makes up for changes that are no longer kept. */
  #lost(name: string, meta: ChangeMeta): ChangeMeta {
    const lost = { id: this.#args.id, name, lostFrom: (this.#doneOf(name) as number) + 1, lostTo: meta.revision }
    resyncs.publish(lost)
    this.#position.resynced()
    return { ...meta, resync: true }
  }

  /** What a callback does after the death of its process is not done: the successor is told the change again. */
  #done(name: string, meta: ChangeMeta): void {
    if (!Process.cellOf(this.#self).alive) return
    const index = this.#index(name)
    const { revision } = meta
    if (meta.deleted) this.#position.deleted(index)
    else this.#position.done(index, Math.max(revision, this.#doneOf(name) ?? 0))
    if (meta.initial) this.#caughtUp(name, revision)
    else this.#position.reached(revision)
  }

  /** Once all present values have made up for what was missed, that is where the watch stands. */
  #caughtUp(name: string, revision: number): void {
    const behind = this.#behind
    if (behind === undefined) return
    behind.names.delete(name)
    behind.newest = Math.max(behind.newest, revision)
    if (behind.names.size === 0) this.#position.reached(behind.newest)
  }

  #ended(error: BeamlineError | undefined): void {
    if (error === undefined && this.#open().length === 0) return this.#self.exit(this.#self.pid, 'normal')
    const text = `the watch of the watcher '${this.#args.id}' was removed`
    this.#crash(error ?? new BeamlineError('UNAVAILABLE', text))
  }

  #crash(error: unknown): void {
    this.#self.exit(this.#self.pid, reasonFrom(error))
  }

  /** The variables that have not been deleted. */
  #open(): string[] {
    return this.#args.names.filter((name) => !this.#position.isDeleted(this.#index(name)))
  }

  #doneOf(name: string): number | undefined {
    return this.#position.of(this.#index(name))
  }

  #index(name: string): number {
    return this.#indices.get(name) as number
  }
}
