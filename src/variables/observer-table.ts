import type { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import type { Observer } from './requests.js'

/** Changes for the watchers of one thread. */
export interface RelayRecord {
  readonly relay: Pid
  readonly changes: Change[]
}

/** Who observes what: by variable and watching thread, so that a change costs one record a thread. */
export class ObserverTable {
  readonly #observers = new Map<string, Observer>()
  /** By owner: the keys of its observers. */
  readonly #byOwner = new Map<string, Set<string>>()
  /** By variable id, then by relay: how many observers. */
  readonly #byVariable = new Map<string, Map<string, { readonly relay: Pid; count: number }>>()

  get size(): number {
    return this.#observers.size
  }

  get variables(): number {
    return this.#byVariable.size
  }

  /** False when that observer is there already. */
  add(observer: Observer): boolean {
    const key = observer.ref.toString()
    if (this.#observers.has(key)) return false
    this.#observers.set(key, observer)
    const owner = observer.owner.toString()
    const owned = this.#byOwner.get(owner)
    if (owned === undefined) this.#byOwner.set(owner, new Set([key]))
    else owned.add(key)
    for (const { id } of observer.variables) this.#enter(id, observer.relay)
    return true
  }

  #enter(id: string, relay: Pid): void {
    const relays = this.#byVariable.get(id) ?? new Map<string, { readonly relay: Pid; count: number }>()
    this.#byVariable.set(id, relays)
    const entry = relays.get(relay.toString())
    if (entry === undefined) relays.set(relay.toString(), { relay, count: 1 })
    else entry.count++
  }

  /** Nothing is removed when `id` is given and not observed. */
  remove(ref: Ref, id?: string): Observer | undefined {
    const observer = this.#observers.get(ref.toString())
    if (id !== undefined && !observer?.variables.some((variable) => variable.id === id)) return undefined
    return this.#removeKey(ref.toString())
  }

  #removeKey(key: string): Observer | undefined {
    const observer = this.#observers.get(key)
    if (observer === undefined) return undefined
    this.#observers.delete(key)
    const owned = this.#byOwner.get(observer.owner.toString())
    owned?.delete(key)
    if (owned?.size === 0) this.#byOwner.delete(observer.owner.toString())
    for (const { id } of observer.variables) this.#leave(id, observer.relay)
    return observer
  }

  #leave(id: string, relay: Pid): void {
    const relays = this.#byVariable.get(id)
    const entry = relays?.get(relay.toString())
    if (relays === undefined || entry === undefined || --entry.count > 0) return
    relays.delete(relay.toString())
    if (relays.size === 0) this.#byVariable.delete(id)
  }

  ownedBy(owner: Pid): Ref[] {
    return Array.from(this.#byOwner.get(owner.toString()) ?? [], (key) => (this.#observers.get(key) as Observer).ref)
  }

  /** How many there were. */
  removeOwnedBy(owner: Pid): number {
    const owned = this.ownedBy(owner)
    for (const ref of owned) this.#removeKey(ref.toString())
    return owned.length
  }

  /** The observers that were removed. */
  removeAll(isGone: (observer: Observer) => boolean): Observer[] {
    const gone = this.list().filter(isGone)
    for (const { ref } of gone) this.remove(ref)
    return gone
  }

  owns(owner: Pid): boolean {
    return this.#byOwner.has(owner.toString())
  }

  /** The variable is gone: observers of it alone are too; these are answered. */
  drop(id: string): Observer[] {
    const concerned = this.removeAll(({ variables }) => variables.some((variable) => variable.id === id))
    return concerned.filter((observer) => {
      const variables = observer.variables.filter((variable) => variable.id !== id)
      return variables.length === 0 || !this.add({ ...observer, variables })
    })
  }

  /** How many observe a variable. */
  count(id: string): number {
    const relays = this.#byVariable.get(id)?.values() ?? []
    return [...relays].reduce((sum, { count }) => sum + count, 0)
  }

  list(): Observer[] {
    return [...this.#observers.values()]
  }

  /** What each watching thread is to be told of some changes, in their order. */
  records(changes: readonly Change[]): RelayRecord[] {
    if (changes.length === 1) {
      const relays = this.#byVariable.get((changes[0] as Change).id)
      return relays === undefined ? [] : Array.from(relays.values(), ({ relay }) => ({ relay, changes: [...changes] }))
    }
    const records = new Map<string, RelayRecord>()
    for (const change of changes) {
      for (const [key, { relay }] of this.#byVariable.get(change.id) ?? []) {
        const record = records.get(key)
        if (record === undefined) records.set(key, { relay, changes: [change] })
        else record.changes.push(change)
      }
    }
    return [...records.values()]
  }
}
