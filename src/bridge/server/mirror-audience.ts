import { isWanted, type Wanted } from './stream-selection.js'

/** Who wants to know of which variable, found without asking all of them. */
export class Audience<W extends object> {
  readonly #wanted = new Map<W, Wanted>()
  readonly #all = new Set<W>()
  readonly #byName = new Map<string, Set<W>>()
  readonly #byId = new Map<string, Set<W>>()
  readonly #withPrefixes = new Set<W>()
  /** For each variable that was looked up: those that want it, without those that want all. */
  readonly #byNumber = new Map<number, readonly W[]>()

  get size(): number {
    return this.#wanted.size
  }

  get members(): readonly W[] {
    return [...this.#wanted.keys()]
  }

  add(member: W, wanted: Wanted): void {
    this.#wanted.set(member, wanted)
    if (wanted.all) {
      this.#all.add(member)
      return
    }
    for (const name of wanted.names) setOf(this.#byName, name).add(member)
    for (const id of wanted.ids) setOf(this.#byId, id).add(member)
    if (wanted.prefixes.length > 0) this.#withPrefixes.add(member)
    this.#byNumber.clear()
  }

  remove(member: W): void {
    const wanted = this.#wanted.get(member)
    if (wanted === undefined) return
    this.#wanted.delete(member)
    if (this.#all.delete(member)) return
    this.#withPrefixes.delete(member)
    for (const name of wanted.names) take(this.#byName, name, member)
    for (const id of wanted.ids) take(this.#byId, id, member)
    this.#byNumber.clear()
  }

  /** Calls `tell` once for each who wants a variable. */
  each(number: number, name: string, id: string, tell: (member: W) => void): void {
    for (const member of this.#all) tell(member)
    if (this.#wanted.size === this.#all.size) return
    for (const member of this.#byNumber.get(number) ?? this.#find(number, name, id)) tell(member)
  }

  #find(number: number, name: string, id: string): readonly W[] {
    const found = new Set<W>()
    for (const member of this.#byName.get(name) ?? []) found.add(member)
    for (const member of this.#byId.get(id) ?? []) found.add(member)
    for (const member of this.#withPrefixes) {
      const wanted = this.#wanted.get(member)
      if (wanted !== undefined && isWanted(wanted, name, id)) found.add(member)
    }
    const members = [...found]
    this.#byNumber.set(number, members)
    return members
  }

  /** A variable is gone, and its number with it. */
  forget(number: number): void {
    this.#byNumber.delete(number)
  }
}

function setOf<K, W>(sets: Map<K, Set<W>>, key: K): Set<W> {
  const known = sets.get(key)
  if (known !== undefined) return known
  const made = new Set<W>()
  sets.set(key, made)
  return made
}

function take<K, W>(sets: Map<K, Set<W>>, key: K, member: W): void {
  const set = sets.get(key)
  set?.delete(member)
  if (set?.size === 0) sets.delete(key)
}
