import { BeamlineError, shown } from '../../errors.js'
import { Pid, type Ref } from '../../threads/pid.js'
import { type Behaviour, behaviour } from '../behaviour.js'
import { Exit } from '../exit-reason.js'
import { Call, type Down, type From, isDown, isExit } from '../messages.js'
import type { Process } from '../process.js'
import { type Entry, EntryTable } from '../registry/entry-table.js'
import { type Key, keyText } from '../registry/key.js'
import type { GroupEvent, GroupSubscription, GroupsRequest } from './requests.js'

/** Where those stand who subscribe to every group: no key has this text. */
const EVERY = ''

/** The process that knows who is in which group. Loaded by name, on a system thread unless asked otherwise. */
export const groupsActor = behaviour<void>((self) => new GroupsActor(self))

/** The single writer of its groups. It monitors members and subscribers, whom its own death leaves alone. */
class GroupsActor implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #members = new EntryTable()
  /** Under the text of the group; the value is the subscription's reference. */
  readonly #subscribers = new EntryTable()
  readonly #subscriptions = new Map<string, Entry>()
  readonly #monitors = new Map<string, Ref>()

  constructor(self: Process) {
    self.trapExit = true
    this.#self = self
  }

  handle(message: unknown): void {
    if (message instanceof Call) this.#answer(message.from, message.request as GroupsRequest)
    else if (isDown(message)) this.#lost(message)
    else if (isExit(message) && this.#self.parent?.equals(message.pid)) throw new Exit(message.reason)
  }

  #answer(from: From, request: GroupsRequest): void {
    try {
      this.#self.reply(from, this.#serve(from.pid, request))
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#self.replyError(from, error)
    }
  }

  #serve(caller: Pid, request: GroupsRequest): unknown {
    switch (request?.kind) {
      case 'join':
        return this.#join(request.group, keyText(request.group), pidsIn(request.pids))
      case 'leave':
        return this.#leave(keyText(request.group), pidsIn(request.pids))
      case 'members':
        return this.#alive(this.#members.at(keyText(request.group))).map(({ pid }) => pid)
      case 'groups':
        return [...new Map(this.#alive(this.#members.all()).map(({ text, key }) => [text, key])).values()]
      case 'subscribe':
        return this.#subscribe(caller, request.group)
      case 'unsubscribe':
        return this.#unsubscribe(this.#subscriptions.get(String(request.ref)))
      default:
        throw new BeamlineError('NOT_FOUND', `groups are asked by their handle, not by ${shown(request)}`)
    }
  }

  #join(group: Key, text: string, pids: readonly Pid[]): void {
    for (const pid of pids) {
      if (!this.#self.system.isAlive(pid)) continue
      this.#watch(pid)
      this.#tell('join', this.#members.add(group, text, pid, undefined))
    }
  }

  /** Whether anybody was in: the dead are not, though they may not have been taken out yet. */
  #leave(text: string, pids: readonly Pid[]): boolean {
    let found = false
    for (const pid of pids) {
      const [entry] = this.#members.at(text, pid)
      if (entry === undefined || !this.#self.system.isAlive(pid)) continue
      found = true
      this.#members.remove(entry)
      this.#tell('leave', entry)
      this.#unwatch(pid)
    }
    return found
  }

  #subscribe(pid: Pid, group: Key | undefined): GroupSubscription {
    const text = group === undefined ? EVERY : keyText(group)
    const members = this.#alive(group === undefined ? this.#members.all() : this.#members.at(text))
    const ref = this.#self.ref()
    this.#subscriptions.set(ref.toString(), this.#subscribers.add(group ?? EVERY, text, pid, ref))
    this.#watch(pid)
    return { ref, members: members.map((member) => ({ group: member.key, pid: member.pid })) }
  }

  #unsubscribe(entry: Entry | undefined): void {
    if (entry === undefined) return
    this.#forget(entry)
    this.#subscribers.remove(entry)
    this.#unwatch(entry.pid)
  }

  #forget({ value }: Entry): void {
    this.#subscriptions.delete(String(value))
  }

  #watch(pid: Pid): void {
    if (!this.#monitors.has(pid.toString())) this.#monitors.set(pid.toString(), this.#self.monitor(pid))
  }

  #unwatch(pid: Pid): void {
    const ref = this.#monitors.get(pid.toString())
    if (ref === undefined || this.#members.has(pid) || this.#subscribers.has(pid)) return
    this.#monitors.delete(pid.toString())
    this.#self.demonitor(ref, { flush: true })
  }

  #lost({ pid, ref }: Down): void {
    if (!(pid instanceof Pid) || !this.#monitors.get(pid.toString())?.equals(ref)) return
    this.#monitors.delete(pid.toString())
    for (const entry of this.#subscribers.removeAll(pid)) this.#forget(entry)
    for (const entry of this.#members.removeAll(pid)) this.#tell('leave', entry)
  }

  #tell(type: 'join' | 'leave', { key, text, pid }: Entry): void {
    for (const where of [text, EVERY]) {
      for (const { pid: subscriber, value } of this.#subscribers.at(where)) {
        this.#self.send(subscriber, { type, ref: value as Ref, group: key, pid } satisfies GroupEvent)
      }
    }
  }

  /** Without those whose deaths this process has not heard of yet: others have. */
  #alive(entries: Iterable<Entry>): Entry[] {
    return Array.from(entries).filter(({ pid }) => this.#self.system.isAlive(pid))
  }
}

/** Anyone may send to this pid. */
function pidsIn(pids: unknown): readonly Pid[] {
  if (Array.isArray(pids) && pids.every((pid) => pid instanceof Pid)) return pids
  throw new BeamlineError('INVALID_TYPE', `${shown(pids)} are no members of a group: give Pids`)
}
