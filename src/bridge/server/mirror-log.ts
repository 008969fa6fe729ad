import type { CommitEvent } from '../../variables/session-state.js'
import { encodeEvent } from '../wire/brief.js'

/** How much of the past a {@link MirrorLog} keeps; never less than its newest revision. */
export interface LogBounds {
  readonly events: number
  readonly bytes: number
  readonly ageMs: number
  /** So many are kept however old they are. */
  readonly fewest: number
}

export const defaultBounds: LogBounds = {
  events: 65_536,
  bytes: 64 * 1024 * 1024,
  ageMs: 10 * 60 * 1000,
  fewest: 1024,
}

/** What an event takes besides its values, about. */
const eventBytes = 256

/** An event, and its bytes once any stream has needed them. */
export class LogEntry {
  readonly event: CommitEvent
  /** Its place in all that the log has ever had. */
  readonly index: number
  /** When it came, by the clock of the process. */
  readonly at: number
  readonly size: number
  #body: Uint8Array | undefined

  constructor(event: CommitEvent, index: number, at: number) {
    this.event = event
    this.index = index
    this.at = at
    this.size = eventBytes + sizeOf(event.value) + sizeOf(event.said)
  }

  /** A native `Event` without `more` and `conflated`, which differ from watch to watch. */
  get body(): Uint8Array {
    this.#body ??= encodeEvent(this.event)
    return this.#body
  }
}

/** The latest events of a session, in order. Those who read it each have an index; what they have not read is not copied. */
export class MirrorLog {
  readonly #bounds: LogBounds
  #entries: LogEntry[] = []
  /** Those at the front that are no longer kept, until there are enough of them to move the rest. */
  #dropped = 0
  /** The index of the first element of `#entries`. */
  #base: number
  #bytes = 0
  #compacted: number

  /** @param base the index of the first event, so that no index is ever used twice */
  constructor(bounds: LogBounds, compacted: number, base = 0) {
    this.#bounds = bounds
    this.#compacted = compacted
    this.#base = base
  }

  /** The index of the oldest event. */
  get first(): number {
    return this.#base + this.#dropped
  }

  /** The index that the next event will have. */
  get end(): number {
    return this.#base + this.#entries.length
  }

  /** The highest revision of which something is no longer kept. */
  get compacted(): number {
    return this.#compacted
  }

  at(index: number): LogEntry | undefined {
    return index < this.first ? undefined : this.#entries[index - this.#base]
  }

  append(event: CommitEvent, now: number): LogEntry {
    const entry = new LogEntry(event, this.end, now)
    this.#entries.push(entry)
    this.#bytes += entry.size
    return entry
  }

  /** Where the events after a revision begin. */
  indexAfter(revision: number): number {
    let low = this.#dropped
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle] as LogEntry).event.revision <= revision) low = middle + 1
      else high = middle
    }
    return this.#base + low
  }

  /** Drops what is out of bounds, by whole revisions. */
  trim(now: number): void {
    const { events, bytes, ageMs, fewest } = this.#bounds
    const entries = this.#entries
    const newest = entries.at(-1)?.event.revision
    for (;;) {
      const oldest = entries[this.#dropped]
      if (oldest === undefined || oldest.event.revision === newest) break
      const count = entries.length - this.#dropped
      const isOld = count > fewest && now - oldest.at > ageMs
      if (count <= events && this.#bytes <= bytes && !isOld) break
      this.#dropRevision(oldest.event.revision)
    }
    if (this.#dropped < 4096 || 2 * this.#dropped < entries.length) return
    this.#entries = entries.slice(this.#dropped)
    this.#base += this.#dropped
    this.#dropped = 0
  }

  #dropRevision(revision: number): void {
    const entries = this.#entries as (LogEntry | undefined)[]
    for (;;) {
      const entry = entries[this.#dropped]
      if (entry?.event.revision !== revision) break
      this.#bytes -= entry.size
      // What is let go of must not stay until the array moves.
      entries[this.#dropped++] = undefined
    }
    this.#compacted = revision
  }
}

/** Roughly the bytes of a value; of large ones a part is looked at. */
function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (depth > 8) return 64
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  const step = Math.max(1, Math.floor(parts.length / 64))
  let bytes = 16
  for (let at = 0; at < parts.length; at += step) bytes += step * (8 + sizeOf(parts[at], depth + 1))
  return bytes
}
