import type { LogEntry, MirrorLog } from './mirror-log.js'

/** An event as one watch is told it. */
export interface Outgoing {
  readonly entry: LogEntry
  /** How many older events it stands for as well. */
  readonly conflated: number
  /** More of the same revision follow. */
  readonly more: boolean
}

/** How much may be taken at once. */
export interface Allowance {
  readonly events: number
  /** Infinity when bytes are not counted, and need not be known. */
  readonly bytes: number
  /** Whether a part may be taken of a revision that is too large as a whole. */
  readonly split: boolean
}

/** What the next revision needs. */
export interface Needs {
  readonly events: number
  readonly bytes: number
}

/** What was taken; when nothing could be, what would be needed. */
export interface Taken {
  readonly events: readonly Outgoing[]
  readonly needs?: Needs
}

/** The commits that a watch has not been told. */
export interface Pending {
  readonly isEmpty: boolean
  /** Some can no longer be told. */
  readonly isLost: boolean
  /** The highest revision up to which nothing waits: `head` when nothing does; 0 when it is not known, as some are lost. */
  settled(head: number): number
  note(entry: LogEntry): void
  /** Whole revisions, in order, as many as are allowed. */
  take(allowance: Allowance): Taken
  /** Nothing waits any more. */
  clear(): void
}

/** The bytes of an event in a batch, at most. */
export const eventSize = (entry: LogEntry): number => entry.body.length + 14

/** Every event, by a place in the log that all watches of a session share. */
export class EveryPending implements Pending {
  readonly #log: () => MirrorLog
  readonly #wants: (entry: LogEntry) => boolean
  /** The first event that may have to be told; -1 when none has to. */
  #next = -1

  constructor(log: () => MirrorLog, wants: (entry: LogEntry) => boolean) {
    this.#log = log
    this.#wants = wants
  }

  get isEmpty(): boolean {
    return this.#next < 0
  }

  get isLost(): boolean {
    return this.#next >= 0 && this.#next < this.#log().first
  }

  settled(head: number): number {
    return this.#next < 0 ? head : (this.#log().at(this.#next)?.event.revision ?? 1) - 1
  }

  note({ index }: LogEntry): void {
    if (this.#next < 0) this.#next = index
  }

  clear(): void {
    this.#next = -1
  }

  take(allowance: Allowance): Taken {
    const log = this.#log()
    const events: Outgoing[] = []
    let left = allowance
    while (this.#next >= 0) {
      const { entries, end } = this.#revisionAt(log, this.#next)
      const needs = needsOf(entries, allowance)
      if (!fits(needs, left)) {
        if (events.length > 0) return { events }
        return allowance.split ? this.#split(entries, allowance) : { events, needs }
      }
      for (const entry of entries) events.push({ entry, conflated: 0, more: entry !== entries.at(-1) })
      left = { ...left, events: left.events - needs.events, bytes: left.bytes - needs.bytes }
      this.#next = end < log.end ? end : -1
    }
    return { events }
  }

  /** What is wanted of the revision at an index, and where the next one begins. */
  #revisionAt(log: MirrorLog, from: number): { entries: LogEntry[]; end: number } {
    const entries: LogEntry[] = []
    const revision = log.at(from)?.event.revision
    for (let at = from; ; at++) {
      const entry = log.at(at)
      if (entry?.event.revision !== revision || entry === undefined) return { entries, end: at }
      if (this.#wants(entry)) entries.push(entry)
    }
  }

  #split(entries: readonly LogEntry[], allowance: Allowance): Taken {
    const part = fitting(entries, allowance)
    const last = part.at(-1)
    if (last === undefined) return { events: [], needs: needsOf(entries.slice(0, 1), allowance) }
    this.#next = last.index + 1
    return { events: part.map((entry) => ({ entry, conflated: 0, more: true })) }
  }
}

interface Slot {
  readonly entry: LogEntry
  readonly conflated: number
}

/**
 * The newest event of each variable. As many wait as there are variables that the watch was told of, or could be; what
 * became of a variable that has come and gone meanwhile is not told.
 */
export class LatestPending implements Pending {
  readonly isLost = false
  /** In the order of the log. A variable's definition, value and deletion are kept apart, as none may hide another. */
  readonly #slots = new Map<number, Slot>()

  get isEmpty(): boolean {
    return this.#slots.size === 0
  }

  settled(head: number): number {
    const first = this.#slots.values().next()
    return first.done === true ? head : first.value.entry.event.revision - 1
  }

  note(entry: LogEntry): void {
    const { number, op } = entry.event
    const [definition, value, deletion] = [3 * number, 3 * number + 1, 3 * number + 2]
    if (op === 'define') this.#slots.set(definition, { entry, conflated: 0 })
    else if (op === 'set') {
      const before = this.#slots.get(value)
      // Behind all others, as it is now the newest.
      if (before !== undefined) this.#slots.delete(value)
      this.#slots.set(value, { entry, conflated: before === undefined ? 0 : before.conflated + 1 })
    } else if (this.#slots.delete(definition)) this.#slots.delete(value)
    else this.#slots.set(deletion, { entry, conflated: 0 })
  }

  clear(): void {
    this.#slots.clear()
  }

  take(allowance: Allowance): Taken {
    const events: Outgoing[] = []
    let left = allowance
    while (this.#slots.size > 0) {
      const group = this.#oldest()
      const needs = needsOf(group, allowance)
      if (!fits(needs, left)) {
        if (events.length > 0) return { events }
        if (!allowance.split) return { events, needs }
        const part = fitting(group, allowance)
        if (part.length === 0) return { events, needs: needsOf(group.slice(0, 1), allowance) }
        // The rest may be overtaken by newer values: nothing is promised of it.
        this.#push(events, part)
        return { events }
      }
      this.#push(events, group)
      left = { ...left, events: left.events - needs.events, bytes: left.bytes - needs.bytes }
    }
    return { events }
  }

  /** What waits of the oldest revision. */
  #oldest(): LogEntry[] {
    const entries: LogEntry[] = []
    for (const { entry } of this.#slots.values()) {
      if (entry.event.revision !== (entries[0] ?? entry).event.revision) break
      entries.push(entry)
    }
    return entries
  }

  #push(events: Outgoing[], entries: readonly LogEntry[]): void {
    entries.forEach((entry, at) => {
      const { number, op } = entry.event
      const key = 3 * number + (op === 'define' ? 0 : op === 'set' ? 1 : 2)
      const conflated = this.#slots.get(key)?.conflated ?? 0
      this.#slots.delete(key)
      events.push({ entry, conflated, more: at < entries.length - 1 })
    })
  }
}

function needsOf(entries: readonly LogEntry[], { bytes }: Allowance): Needs {
  const isCounted = bytes !== Number.POSITIVE_INFINITY
  return {
    events: entries.length,
    bytes: isCounted ? entries.reduce((sum, entry) => sum + eventSize(entry), 0) : 0,
  }
}

const fits = (needs: Needs, { events, bytes }: Allowance): boolean => needs.events <= events && needs.bytes <= bytes

/** As many as are allowed, but not all. */
function fitting(entries: readonly LogEntry[], { events, bytes }: Allowance): LogEntry[] {
  const part: LogEntry[] = []
  let sum = 0
  for (const entry of entries.slice(0, Math.min(events, entries.length - 1))) {
    sum += bytes === Number.POSITIVE_INFINITY ? 0 : eventSize(entry)
    if (sum > bytes) break
    part.push(entry)
  }
  return part
}
