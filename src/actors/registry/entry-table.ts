import type { Pid } from '../../threads/pid.js'
import type { Key } from './key.js'

/** One process under one key. */
export interface Entry {
  readonly id: number
  readonly key: Key
  /** The key's text. */
  readonly text: string
  readonly pid: Pid
  value: unknown
  /** One more with each value. */
  version: number
}

type Entries = Map<number, Entry>
interface Owned {
  readonly pid: Pid
  readonly byKey: Map<string, Entries>
}

const none: ReadonlyMap<number, Entry> = new Map()

/** Processes under keys, found by key and by process; entries stay in the order in which they were added. */
export class EntryTable {
  readonly #byKey = new Map<string, Entries>()
  readonly #byOwner = new Map<string, Owned>()
  #last = 0

  add(key: Key, text: string, pid: Pid, value: unknown): Entry {
    const entry: Entry = { id: ++this.#last, key, text, pid, value, version: 0 }
    const owned = getOrMake(this.#byOwner, pid.toString(), () => ({ pid, byKey: new Map() }))
    getOrMake(this.#byKey, text, () => new Map()).set(entry.id, entry)
    getOrMake(owned.byKey, text, () => new Map()).set(entry.id, entry)
    return entry
  }

  remove({ id, text, pid }: Entry): void {
    const owned = this.#byOwner.get(pid.toString())
    if (owned === undefined) return
    drop(this.#byKey, text, id)
    drop(owned.byKey, text, id)
    if (owned.byKey.size === 0) this.#byOwner.delete(pid.toString())
  }

  /** Takes out all entries of a process. */
  removeAll(pid: Pid): Entry[] {
    const entries = [...this.ownedBy(pid)]
    for (const entry of entries) this.remove(entry)
    return entries
  }

  has(pid: Pid): boolean {
    return this.#byOwner.has(pid.toString())
  }

  /** The entries under a key; of one process only, if given. */
  at(text: string, pid?: Pid): Iterable<Entry> {
    const byKey = pid === undefined ? this.#byKey : this.#byOwner.get(pid.toString())?.byKey
    return (byKey?.get(text) ?? none).values()
  }

  *ownedBy(pid: Pid): Iterable<Entry> {
    for (const entries of this.#byOwner.get(pid.toString())?.byKey.values() ?? []) yield* entries.values()
  }

  *all(): Iterable<Entry> {
    for (const entries of this.#byKey.values()) yield* entries.values()
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const there = map.get(key)
  if (there !== undefined) return there
  const made = make()
  map.set(key, made)
  return made
}

function drop(map: Map<string, Entries>, key: string, id: number): void {
  const entries = map.get(key)
  if (entries?.delete(id) && entries.size === 0) map.delete(key)
}
