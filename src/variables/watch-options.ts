import { BeamlineError, shown } from '../errors.js'
import type { ChangeMeta } from './change.js'

/**
 * Called for each change of a watched variable, on the thread of the watch's owner; calls of one watch never overlap:
 * when one returns a promise, the next waits for it.
 */
export type WatchCallback<N extends string = string, V = unknown> = (
  name: N,
  previous: V | undefined,
  value: V,
  meta: ChangeMeta,
) => unknown

export interface WatchOptions<V = unknown> {
  /** First tell the present values, marked `initial`; then every later change. False unless told. */
  readonly includeInitial?: boolean
  /** Tell only changes that this accepts; `previous` is `undefined` for an initial value. */
  readonly filter?: (previous: V | undefined, value: V) => boolean
  /** Leave out sets that left the value as it was. False unless told. */
  readonly distinct?: boolean
  /** Tell a change once its variable has been quiet for so many milliseconds: always the last one. */
  readonly debounce?: number
  /** Tell at most one change of a variable in so many milliseconds: the first at once, and always the last one. */
  readonly throttle?: number
  /** `every` change, or, while the callback is busy, only the `latest` of each variable. `every` unless told. */
  readonly delivery?: 'every' | 'latest'
  /** With `every`: how many changes may wait for a busy callback before the watch ends with OVERFLOW; 65,536. */
  readonly buffer?: number
  /** First tell every change after this revision. */
  readonly sinceRevision?: number
  /** Ends the watch when it aborts. */
  readonly signal?: AbortSignal
  /** Told what the callback or filter threw, and why a watch ended by itself; without it, a process warning. */
  readonly onError?: (error: unknown) => void
  /** Told of changes that cannot be delivered any more, before the values that make up for them. */
  readonly onResync?: (lost: { reason: string; lostFrom: number; lostTo: number }) => void
}

/** @throws BeamlineError INVALID_TYPE for an option that makes no sense */
export function checkWatch(names: readonly string[], callback: unknown, options: WatchOptions<never>): void {
  if (!Array.isArray(names) || names.length === 0) throw bad('names', names, 'give a list of one or more names')
  if (typeof callback !== 'function') throw bad('callback', callback, 'give a function')
  if (typeof options !== 'object' || options === null) throw bad('options', options, 'give an object')
  for (const key of ['debounce', 'throttle'] as const) {
    const ms = options[key]
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 0)) throw bad(key, ms, 'give milliseconds, 0 or more')
  }
  const { delivery, buffer, filter, onError, onResync, signal, debounce, throttle, includeInitial, sinceRevision } =
    options
  if (delivery !== undefined && delivery !== 'every' && delivery !== 'latest')
    throw bad('delivery', delivery, "give 'every' or 'latest'")
  if (buffer !== undefined && !(Number.isInteger(buffer) && buffer > 0))
    throw bad('buffer', buffer, 'give a whole number above 0')
  for (const [key, value] of Object.entries({ filter, onError, onResync })) {
    if (value !== undefined && typeof value !== 'function') throw bad(key, value, 'give a function')
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw bad('signal', signal, 'give an AbortSignal')
  if (debounce !== undefined && throttle !== undefined)
    throw bad('throttle', throttle, 'give debounce or throttle, not both')
  if (includeInitial && sinceRevision !== undefined)
    throw bad('sinceRevision', sinceRevision, 'it excludes includeInitial')
}

function bad(option: string, value: unknown, right: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `watch: ${option} is ${shown(value)}: ${right}`, { details: { option } })
}
