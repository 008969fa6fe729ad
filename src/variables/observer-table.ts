import type { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import type { Observer } from './requests.js'

/** Changes for the watchers of one thread. */
export interface RelayRecord {
  readonly relay: Pid
  readonly changes: Change[]
}

/** Who watches one variable, and how often: a relay for each watching thread. */
export interface Audience {
  /** What the variable is called in compact messages to them. */
  readonly subject: number
  readonly relays: { readonly relay: Pid; count: number }[]
}

/** Who observes what: by variable and watching thread, so that a change costs one record a thread. */
export class ObserverTable {
  readonly #observers = new Map<string, Observer>()
  /** By owner: the keys of its observers. */
  readonly #byOwner = new Map<string, Set<string>>()
  /** By variable id. */
  readonly #audiences = new Map<string, Audience>()
  #subjects = 0
  /** Changes whenever an audience comes or goes: one that was looked up before may be another. */
  generation = 0

  get size(): number {
    return this.#observers.size
  }

  get variables(): number {
    return this.#audiences.size
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
    const audience = this.#audiences.get(id) ?? this.#newAudience(id)
    const entry = audience.relays.find((one) => one.relay.equals(relay))
    if (entry === undefined) audience.relays.push({ relay, count: 1 })
    else entry.count++
  }

  #newAudience(id: string): Audience {
    const audience = { subject: this.#subjects++, relays: [] }
    this.#audiences.set(id, audience)
    this.generation++
    return audience
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
    const relays = this.#audiences.get(id)?.relays ?? []
    const at = relays.findIndex((one) => one.relay.equals(relay))
    const entry = relays[at]
    if (entry === undefined || --entry.count > 0) return
    relays.splice(at, 1)
    if (relays.length > 0) return
    this.#audiences.delete(id)
    this.generation++
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
    const over: Observer[] = []
    for (const observer of this.list()) {
      const { ref, relay, variables } = observer
      const others = variables.filter((variable) => variable.id !== id)
      if (others.length === variables.length) continue
      if (others.length === 0) {
        this.remove(ref)
        over.push(observer)
      } else {
        this.#leave(id, relay)
        this.#observers.set(ref.toString(), { ...observer, variables: others })
      }
    }
    return over
  }

  /** How many observe a variable. */
  count(id: string): number {
    return (this.#audiences.get(id)?.relays ?? []).reduce((sum, { count }) => sum + count, 0)
  }

  /** Who watches a variable now, if anybody does. */
  audience(id: string): Audience | undefined {
    return this.#audiences.get(id)
  }

  list(): Observer[] {
    return [...this.#observers.values()]
  }

  /** What each watching thread is to be told of some changes, in their order. */
  records(changes: readonly Change[]): RelayRecord[] {
    if (changes.length === 1) {
      const relays = this.#audiences.get((changes[0] as Change).id)?.relays ?? []
      return relays.map(({ relay }) => ({ relay, changes: [...changes] }))
    }
    const records = new Map<string, RelayRecord>()
    for (const change of changes) {
      for (const { relay } of this.#audiences.get(change.id)?.relays ?? []) {
        const key = relay.toString()
        const record = records.get(key)
        if (record === undefined) records.set(key, { relay, changes: [change] })
        else record.changes.push(change)
      }
    }
    return [...records.values()]
  }
}
