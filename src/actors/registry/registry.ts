import { BeamlineError, shown } from '../../errors.js'
import { Pid } from '../../threads/pid.js'
import { ownerOf } from '../owner.js'
import type { Process } from '../process.js'
import type { Placement } from '../spawner.js'
import type { Startable } from '../startable.js'
import type { ActorSystem } from '../system.js'
import type { Via } from '../via.js'
import { type Key, keyText } from './key.js'
import type { OwnEntry, RegistryArgs, RegistryFacts, RegistryRequest } from './requests.js'

export interface RegistryOptions {
  /** Whether a key belongs to one process at a time, or to any number, each as often as it likes. */
  readonly keys: 'unique' | 'duplicate'
  /** A registered name for the registry's process. */
  readonly name?: string
  /** Who hears of each entry that comes and goes: processes, or names, which may be free at times. */
  readonly listeners?: readonly (Pid | string)[]
  /** What {@link Registry.meta} tells from the start. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** `system` unless told: a thread that runs no user's process, so that a stuck one never takes the registry with it. */
  readonly thread?: Placement
  /** Links the registry to the process that starts it, whose death then ends it. */
  readonly link?: boolean
}

/** A process under a key. */
export interface Registered<V = unknown> {
  readonly pid: Pid
  readonly value: V
}

/** What listeners hear; `unregister` also when the process has died. */
export interface RegistryEvent<V = unknown> {
  readonly type: 'register' | 'unregister'
  readonly registry: Pid
  readonly key: Key
  readonly pid: Pid
  readonly value: V
}

const actor = { module: new URL('./registry-actor.js', import.meta.url), export: 'registryActor' }

/**
 * Processes under keys of any plain kind, with a value each. An entry belongs to the process that made it and ends with
 * it. What a registry tells never includes a process whose `DOWN` was seen before. Mirrors Elixir's `Registry`.
 *
 * The registry is linked with everybody who has an entry: an owner's death does it no harm, but its own, unless by
 * {@link stop}, ends those that do not trap exits.
 *
 * ```ts
 * const rooms = await Registry.start<{ seats: number }>(system, { keys: 'unique' })
 * await system.start(Room, args, { name: rooms.via(['room', 7], { seats: 40 }) })
 * system.self.send(rooms.via(['room', 7]), 'hello')
 * ```
 *
 * Every method rejects with NOPROC when the registry is dead, with CALL_TIMEOUT when it does not answer within 5 s, and
 * with INVALID_TYPE for what is no key.
 */
export class Registry<V = unknown> {
  readonly pid: Pid
  readonly #owner: Process
  readonly #facts: RegistryFacts

  private constructor(owner: Process, pid: Pid, facts: RegistryFacts) {
    this.#owner = owner
    this.pid = pid
    this.#facts = facts
  }

  /**
   * Starts a registry; the handle is for the process that does, or, for a system, the calling thread's own.
   * @throws BeamlineError INVALID_TYPE for an option that is none; ALREADY_REGISTERED for a name in use
   */
  static async start<V = unknown>(by: ActorSystem | Process, options: RegistryOptions): Promise<Registry<V>> {
    const owner = ownerOf(by)
    const { entry, args, options: birth } = startable(options ?? {})
    const pid = await owner.spawn(entry, args, birth)
    try {
      return await Registry.attach<V>(owner, pid)
    } catch (error) {
      // Nobody would have a handle to it.
      owner.exit(pid, 'kill')
      throw error
    }
  }

  /**
   * How a supervisor starts a registry, linked: the `start` of a child. Give it a name, to {@link attach} by.
   * @throws BeamlineError INVALID_TYPE for an option that is none
   */
  static child(options: Omit<RegistryOptions, 'link'>): Startable {
    return startable({ ...options, link: true })
  }

  /**
   * A handle for another process, on any thread: entries made by it belong to that process.
   * @throws BeamlineError NOPROC when there is no such process; INVALID_TYPE, or what it answers, when it is no registry
   */
  static async attach<V = unknown>(self: Process | ActorSystem, to: Pid | string): Promise<Registry<V>> {
    const owner = ownerOf(self)
    const pid = owner.system.pidOf(to)
    const facts = await owner.call(pid, { kind: 'facts' } satisfies RegistryRequest)
    if (isFacts(facts)) return new Registry<V>(owner, pid, facts)
    throw new BeamlineError('INVALID_TYPE', `${pid} is no registry: give the pid or name of one`)
  }

  /** `unique` or `duplicate`. */
  get keyKind(): 'unique' | 'duplicate' {
    return this.#facts.keys
  }

  /**
   * Enters the handle's process under `key`.
   * @throws BeamlineError ALREADY_REGISTERED while a live process, this one included, has the key of a unique registry
   * (`details.pid`); NOT_CLONEABLE for a value that no message can carry
   */
  async register(key: Key, value?: V): Promise<void> {
    await this.#ask({ kind: 'register', entry: { key: checkKey(key), value } })
  }

  /** Takes out what the handle's process has under `key`; nothing happens if it has nothing there. */
  async unregister(key: Key): Promise<void> {
    await this.#ask({ kind: 'unregister', key: checkKey(key) })
  }

  /** The same for those of its entries under `key` whose value `matches`. */
  async unregisterMatch(key: Key, matches: (value: V) => boolean): Promise<void> {
    const ids = (await this.#own(key)).filter(({ value }) => matches(value as V)).map(({ id }) => id)
    await this.#ask({ kind: 'drop', key, ids })
  }

  /** The live processes under `key`, oldest entry first. */
  async lookup(key: Key): Promise<Registered<V>[]> {
    return this.#alive((await this.#ask({ kind: 'lookup', key: checkKey(key) })) as Registered<V>[])
  }

  /** The values under `key`; those of one process, if given. */
  async values(key: Key, pid?: Pid): Promise<V[]> {
    const entries = await this.lookup(key)
    return entries.filter((entry) => pid === undefined || entry.pid.equals(pid)).map(({ value }) => value)
  }

  /** Every key that a live process has, once; with `pid`, those of that process, each as often as it has it. */
  async keys(pid?: Pid): Promise<Key[]> {
    return (await this.#ask({ kind: 'keys', pid })) as Key[]
  }

  /** Every entry; with `pid`, those of that process. */
  async entries(pid?: Pid): Promise<(Registered<V> & { readonly key: Key })[]> {
    return this.#alive((await this.#ask({ kind: 'entries', pid })) as (Registered<V> & { readonly key: Key })[])
  }

  /** How many entries of live processes there are; with `key`, under that key. */
  async count(key?: Key): Promise<number> {
    return (await this.#ask(key === undefined ? { kind: 'count' } : { kind: 'count', key: checkKey(key) })) as number
  }

  /**
   * Gives the entry of the handle's process in a unique registry the value that `update` makes of the present one.
   * `update` runs again when the value was changed meanwhile.
   * @returns both values
   * @throws BeamlineError NOT_FOUND when the key is not this process's; INVALID_TYPE for a registry of duplicate keys
   */
  async updateValue(key: Key, update: (value: V) => V): Promise<{ readonly value: V; readonly previous: V }> {
    this.#assertUnique('updateValue')
    for (;;) {
      const [own] = await this.#own(key)
      if (own === undefined) throw notOwned(key, this.#owner.pid)
      const value = update(own.value as V)
      if (await this.#ask({ kind: 'write', key, entry: { ...own, value } })) return { value, previous: own.value as V }
    }
  }

  /** Calls `callback` with the live processes under `key`, here, and waits for it; not when there are none. */
  async dispatch(key: Key, callback: (entries: readonly Registered<V>[]) => unknown): Promise<void> {
    const entries = await this.lookup(key)
    if (entries.length > 0) await callback(entries)
  }

  /** What the registry keeps beside its entries under a name; undefined for a name that was never put. */
  meta(name: string): Promise<unknown> {
    return this.#ask({ kind: 'meta', key: name })
  }

  /** Keeps `value` beside the entries. @throws BeamlineError INVALID_TYPE for a name that is no string */
  async putMeta(name: string, value: unknown): Promise<void> {
    if (typeof name !== 'string') throw bad('a name of metadata', name, 'give a string')
    await this.#ask({ kind: 'put-meta', key: name, value })
  }

  /**
   * `key` as a name: for `spawn`, `start` and `register`, which enter the process with `value`, and as a destination for
   * `send`, `cast`, `call`, `monitor` and `whereis`, on any thread, without asking the registry.
   * @throws BeamlineError INVALID_TYPE for what is no key, or for a registry of duplicate keys
   */
  via(key: Key, value?: V): Via {
    const table = this.#assertUnique('via')
    return { type: 'VIA', registry: this.pid, key, value, text: keyText(key), table }
  }

  /** Ends the registry with `normal`, which harms nobody who has an entry; resolves once it is dead. */
  stop(): Promise<void> {
    return this.#owner.stop(this.pid)
  }

  #ask(request: RegistryRequest): Promise<unknown> {
    return this.#owner.call(this.pid, request)
  }

  async #own(key: Key): Promise<OwnEntry[]> {
    return (await this.#ask({ kind: 'own', key: checkKey(key) })) as OwnEntry[]
  }

  #assertUnique(method: string) {
    const { table } = this.#facts
    if (table !== undefined) return table
    const text = `${method}: keys of this registry are duplicate, and belong to no one process: start one with keys: 'unique'`
    throw new BeamlineError('INVALID_TYPE', text)
  }

  #alive<E extends { readonly pid: Pid }>(entries: E[]): E[] {
    return entries.filter(({ pid }) => this.#owner.system.isAlive(pid))
  }
}

function startable(options: RegistryOptions): Startable {
  const { thread = 'system', name } = options
  const args = checked(options)
  const birth = { thread, link: args.linked, label: 'Registry', ...(name !== undefined && { name }) }
  return { entry: actor, args, options: birth }
}

function checked({ keys, listeners = [], metadata = {}, link = false }: RegistryOptions): RegistryArgs {
  if (keys !== 'unique' && keys !== 'duplicate') throw bad('keys', keys, "give 'unique' or 'duplicate'")
  const areListeners =
    Array.isArray(listeners) && listeners.every((one) => typeof one === 'string' || one instanceof Pid)
  if (!areListeners) throw bad('listeners', listeners, 'give a list of pids and names')
  if (typeof metadata !== 'object' || metadata === null) throw bad('metadata', metadata, 'give an object')
  return { keys, listeners, metadata, linked: link }
}

function isFacts(facts: unknown): facts is RegistryFacts {
  const keys = (facts as Partial<RegistryFacts> | null | undefined)?.keys
  return keys === 'unique' || keys === 'duplicate'
}

/** Before anything is sent. */
function checkKey(key: Key): Key {
  keyText(key)
  return key
}

function bad(what: string, value: unknown, advice: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `Registry: ${shown(value)} is not right for ${what}: ${advice}`)
}

function notOwned(key: Key, pid: Pid): BeamlineError {
  const text = `${pid} has no entry under the key ${shown(key)}: only the process that registered it can update its value`
  return new BeamlineError('NOT_FOUND', text, { details: { key } })
}
