import { type Entry, nameOf } from '../actors/entry.js'
import type { Process } from '../actors/process.js'
import type { SpawnOptions } from '../actors/spawner.js'
import { BeamlineError, shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import type { ChangeMeta } from './change.js'
import { checkWatch, type WatchOptions } from './watch-options.js'
import type { WatcherArgs } from './watcher-actor.js'
import { WatcherPosition } from './watcher-position.js'

/** As `WatchCallback`, with the watcher's own process. What it throws ends the watcher. */
export type WatcherCallback = (
  name: string,
  previous: unknown,
  value: unknown,
  meta: ChangeMeta,
  self: Process,
) => unknown

/** What is said of a watcher under a `WatcherSupervisor`. */
export interface WatcherSpec {
  /** Unique among the watchers of its supervisor. */
  readonly id: string
  /** The id, registered name or pid of the context. By id or name it is found again when another comes in its place. */
  readonly context: string | Pid
  /** The watched variables. */
  readonly names: readonly string[]
  /** The export, a {@link WatcherCallback}, that is called for each change, in the watcher's process. */
  readonly callback: Entry
  /** As for `watch`, but for what cannot be sent and where it begins. */
  readonly options?: Pick<WatchOptions, 'includeInitial' | 'distinct' | 'debounce' | 'throttle' | 'delivery' | 'buffer'>
  /**
   * Whether a restarted watcher goes on after the last change whose callback was done, true unless told; without, it begins
   * anew, with `includeInitial` if that is told.
   */
  readonly resume?: boolean
  /** As for `spawn`; `isolated` lets a callback in an endless loop be killed. */
  readonly thread?: SpawnOptions['thread']
  /** `transient` unless told: a watcher ends by itself when its last variable has been deleted. */
  readonly restart?: 'permanent' | 'transient' | 'temporary'
  /** Milliseconds, or `brutal_kill`, as for any child. */
  readonly shutdown?: number | 'infinity' | 'brutal_kill'
}

const actor = { module: new URL('./watcher-actor.js', import.meta.url), export: 'watcherActor' }
const options: readonly string[] = ['includeInitial', 'distinct', 'debounce', 'throttle', 'delivery', 'buffer']

/** The memory of a watcher, and what a supervisor starts it by, again and again. */
export function watcherChild(spec: WatcherSpec) {
  const { id, restart = 'transient', shutdown, thread } = spec
  const args = argsOf(spec)
  const start = { entry: actor, args, options: { label: `Watcher ${id}`, ...(thread !== undefined && { thread }) } }
  return { id, start, restart, ...(shutdown !== undefined && { shutdown }) }
}

/** @throws BeamlineError INVALID_TYPE, or BAD_ENTRY for the callback */
function argsOf({ id, context, names, callback, options: given = {}, resume = true }: WatcherSpec): WatcherArgs {
  if (typeof id !== 'string' || id === '') throw bad('id', id, 'give a string that is not empty')
  if (typeof context !== 'string' && !(context instanceof Pid)) throw bad('context', context, 'give its id or pid')
  checkWatch(names, () => {}, given as WatchOptions<never>)
  const odd = Object.keys(given).find((key) => !options.includes(key))
  if (odd !== undefined) throw bad('options', odd, `a watcher takes ${options.join(', ')}`)
  const { includeInitial = false, ...others } = given
  const unique = [...new Set(names)]
  const position = WatcherPosition.create(unique.length)
  return { id, context, names: unique, callback: nameOf(callback), options: others, includeInitial, resume, position }
}

function bad(what: string, value: unknown, right: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `watcher: ${what} is ${shown(value)}: ${right}`)
}
