import { BeamlineError, shown } from '../../errors.js'
import { Pid, type Ref } from '../../threads/pid.js'
import { type Behaviour, behaviour } from '../behaviour.js'
import { Exit } from '../exit-reason.js'
import { Call, type Down, type ExitMessage, type From, isDown, isExit } from '../messages.js'
import type { Process } from '../process.js'
import { HolderTable } from '../via.js'
import { type Entry, EntryTable } from './entry-table.js'
import { type Key, keyText } from './key.js'
import type { OwnEntry, RegistryArgs, RegistryFacts, RegistryRequest } from './requests.js'

/** The process that is a registry. Loaded by name, on a system thread unless asked otherwise. */
export const registryActor = behaviour<RegistryArgs>((self, args) => new RegistryActor(self, args))

/**
 * The single writer of its entries. It is linked with everybody who has one, and traps exits: their deaths do it no harm,
 * and its own ends them. It monitors them too, as they may undo the link.
 */
class RegistryActor implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #args: RegistryArgs
  readonly #entries = new EntryTable()
  readonly #holders: HolderTable | undefined
  readonly #metadata: Map<string, unknown>
  /** Of everybody who has an entry, and of the dead whose `DOWN` is still to come. */
  readonly #monitors = new Map<string, Ref>()
  #isOwnedByParent = false

  constructor(self: Process, args: RegistryArgs) {
    self.trapExit = true
    this.#self = self
    this.#args = args
    this.#metadata = new Map(Object.entries(args.metadata))
    this.#holders = args.keys === 'unique' ? new HolderTable() : undefined
  }

  handle(message: unknown): void {
    if (message instanceof Call) this.#answer(message.from, message.request as RegistryRequest)
    else if (isDown(message)) this.#lost(message)
    else if (isExit(message) && this.#isParent(message.pid)) this.#askedToEnd(message)
  }

  #answer(from: From, request: RegistryRequest): void {
    try {
      this.#self.reply(from, this.#serve(from.pid, request))
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#self.replyError(from, error)
    }
  }

  #serve(caller: Pid, request: RegistryRequest): unknown {
    switch (request?.kind) {
      case 'register':
        return this.#register(caller, request.entry?.key, request.entry?.value)
      case 'unregister':
        return this.#remove(this.#at(request.key, caller))
      case 'lookup':
        return this.#alive(this.#at(request.key)).map(({ pid, value }) => ({ pid, value }))
      case 'entries':
        return this.#of(request.pid).map(({ key, pid, value }) => ({ key, pid, value }))
      case 'keys':
        return this.#keys(request.pid)
      case 'count':
        return this.#alive(request.key === undefined ? this.#entries.all() : this.#at(request.key)).length
      case 'own':
        return Array.from(this.#at(request.key, caller), ({ id, version, value }) => ({ id, version, value }))
      case 'drop':
        return this.#remove([...this.#at(request.key, caller)].filter(({ id }) => request.ids?.includes(id)))
      case 'write':
        return this.#write(this.#at(request.key, caller), request.entry ?? {})
      case 'meta':
        return this.#metadata.get(request.key)
      case 'put-meta':
        return void this.#metadata.set(request.key, request.value)
      case 'facts':
        return { keys: this.#args.keys, table: this.#holders?.memory } satisfies RegistryFacts
      default:
        throw new BeamlineError('NOT_FOUND', `a registry is asked by its handle, not by ${shown(request)}`)
    }
  }

  #register(pid: Pid, key: unknown, value: unknown): void {
    const text = keyText(key)
    // It died while its call was under way: there would be nobody to take the entry out again.
    if (!this.#lives(pid)) return
    if (this.#holders !== undefined) {
      for (const { pid: holder } of this.#entries.at(text)) {
        if (this.#lives(holder)) throw taken(key, holder)
        this.#bury(holder)
      }
      this.#holders.set(text, pid)
    }
    const entry = this.#entries.add(key as Key, text, pid, value)
    this.#tie(pid)
    this.#tell('register', entry)
  }

  #tie(pid: Pid): void {
    if (this.#monitors.has(pid.toString())) return
    this.#monitors.set(pid.toString(), this.#self.monitor(pid))
    this.#isOwnedByParent ||= this.#isParent(pid)
    this.#self.link(pid)
  }

  #untie(pid: Pid): void {
    const ref = this.#monitors.get(pid.toString())
    if (ref === undefined || this.#entries.has(pid)) return
    this.#monitors.delete(pid.toString())
    this.#self.demonitor(ref, { flush: true })
    if (this.#isParent(pid)) this.#isOwnedByParent = false
    if (!this.#args.linked || !this.#isParent(pid)) this.#self.unlink(pid)
  }

  #write(own: Iterable<Entry>, { id, version, value }: Partial<OwnEntry>): boolean {
    for (const entry of own) {
      if (entry.id !== id || entry.version !== version) continue
      entry.value = value
      entry.version++
      return true
    }
    return false
  }

  #lost({ pid, ref }: Down): void {
    if (!(pid instanceof Pid) || !this.#monitors.get(pid.toString())?.equals(ref)) return
    this.#monitors.delete(pid.toString())
    this.#bury(pid)
  }

  /** Unless the parent, to which the registry was not linked at birth, has died as one of the owners. */
  #askedToEnd({ pid, reason }: ExitMessage): void {
    const asOwner = this.#isOwnedByParent && !this.#args.linked && !this.#lives(pid)
    if (!asOwner) throw new Exit(reason)
    this.#isOwnedByParent = false
  }

  #bury(pid: Pid): void {
    for (const entry of this.#entries.removeAll(pid)) this.#left(entry)
  }

  #remove(entries: Iterable<Entry>): void {
    for (const entry of [...entries]) {
      this.#entries.remove(entry)
      this.#left(entry)
      this.#untie(entry.pid)
    }
  }

  #left(entry: Entry): void {
    this.#holders?.delete(entry.text)
    this.#tell('unregister', entry)
  }

  #tell(type: 'register' | 'unregister', { key, pid, value }: Entry): void {
    for (const listener of this.#args.listeners) {
      const to = typeof listener === 'string' ? this.#self.system.whereis(listener) : listener
      if (to !== undefined) this.#self.send(to, { type, registry: this.#self.pid, key, pid, value })
    }
  }

  #keys(pid: Pid | undefined): Key[] {
    const keys = this.#of(pid).map(({ text, key }) => [text, key] as const)
    return pid === undefined ? [...new Map(keys).values()] : keys.map(([, key]) => key)
  }

  #of(pid: Pid | undefined): Entry[] {
    return this.#alive(pid === undefined ? this.#entries.all() : this.#entries.ownedBy(pid))
  }

  #at(key: unknown, pid?: Pid): Iterable<Entry> {
    return this.#entries.at(keyText(key), pid)
  }

  /** Without those whose deaths this process has not heard of yet: others have. */
  #alive(entries: Iterable<Entry>): Entry[] {
    return Array.from(entries).filter(({ pid }) => this.#lives(pid))
  }

  #isParent(pid: Pid): boolean {
    return this.#self.parent?.equals(pid) === true
  }

  #lives(pid: Pid): boolean {
    return this.#self.system.isAlive(pid)
  }
}

function taken(key: unknown, pid: Pid): BeamlineError {
  const text = `the key ${shown(key)} belongs to ${pid}, which lives: choose another, or wait for its end`
  return new BeamlineError('ALREADY_REGISTERED', text, { details: { key, pid } })
}
