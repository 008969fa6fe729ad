import { copy } from '../../threads/payload.js'
import type { Pid, Ref } from '../../threads/pid.js'
import { ownerOf } from '../owner.js'
import type { Process } from '../process.js'
import { type Key, keyText } from '../registry/key.js'
import type { Placement } from '../spawner.js'
import type { Startable } from '../startable.js'
import type { ActorSystem } from '../system.js'
import type { GroupSubscription, GroupsRequest } from './requests.js'

export interface ProcessGroupsOptions {
  /** A registered name for the process of the groups: the scope, in Erlang's words. */
  readonly name?: string
  /** `system` unless told: a thread that runs no user's process, so that a stuck one never takes the groups with it. */
  readonly thread?: Placement
  /** Links the groups to the process that starts them, whose death then ends them. */
  readonly link?: boolean
}

const actor = { module: new URL('./groups-actor.js', import.meta.url), export: 'groupsActor' }

/**
 * Named groups of processes, any process in any number of them, each as often as it has joined. The dead leave by
 * themselves, and no answer includes a process whose `DOWN` was seen before. A group is there as long as somebody is in
 * it. Mirrors Erlang's `pg`; the death of the groups harms no member.
 *
 * Every method rejects with NOPROC when the groups are dead, with CALL_TIMEOUT when they do not answer within 5 s, and with
 * INVALID_TYPE for a group's name that is no {@link Key}.
 */
export class ProcessGroups {
  readonly pid: Pid
  readonly #owner: Process

  private constructor(owner: Process, pid: Pid) {
    this.#owner = owner
    this.pid = pid
  }

  /**
   * Starts a scope of groups.
   * @throws BeamlineError ALREADY_REGISTERED for a name in use
   */
  static async start(by: ActorSystem | Process, options: ProcessGroupsOptions = {}): Promise<ProcessGroups> {
    const owner = ownerOf(by)
    const { entry, args, options: birth } = startable(options)
    return new ProcessGroups(owner, await owner.spawn(entry, args, birth))
  }

  /** How a supervisor starts groups, linked: the `start` of a child. Give it a name, to {@link attach} by. */
  static child(options: Omit<ProcessGroupsOptions, 'link'> = {}): Startable {
    return startable({ ...options, link: true })
  }

  /**
   * A handle for another process, on any thread.
   * @throws BeamlineError NOPROC for a name that nobody has
   */
  static attach(self: Process | ActorSystem, to: Pid | string): ProcessGroups {
    const owner = ownerOf(self)
    return new ProcessGroups(owner, owner.system.pidOf(to))
  }

  /**
   * Puts processes, the handle's own unless told, into a group, once more if they are in it. The dead do not join.
   * @throws BeamlineError INVALID_TYPE for what is no pid; nobody has joined then
   */
  async join(group: Key, pids: Pid | readonly Pid[] = this.#owner.pid): Promise<void> {
    await this.#ask({ kind: 'join', group: checked(group), pids: listed(pids) })
  }

  /**
   * Takes processes, the handle's own unless told, out of a group, once each.
   * @returns whether any of them was in it
   * @throws BeamlineError INVALID_TYPE for what is no pid; nobody has left then
   */
  async leave(group: Key, pids: Pid | readonly Pid[] = this.#owner.pid): Promise<boolean> {
    return (await this.#ask({ kind: 'leave', group: checked(group), pids: listed(pids) })) as boolean
  }

  /** Who is in a group, in the order in which they joined; who has joined twice, twice. */
  async members(group: Key): Promise<Pid[]> {
    const pids = (await this.#ask({ kind: 'members', group: checked(group) })) as Pid[]
    return pids.filter((pid) => this.#owner.system.isAlive(pid))
  }

  /** The groups that somebody is in. */
  async groups(): Promise<Key[]> {
    return (await this.#ask({ kind: 'groups' })) as Key[]
  }

  /**
   * Sends a message to everybody in a group, once for each time it has joined; the handle's process is the sender.
   * @returns how many were sent
   * @throws BeamlineError NOT_CLONEABLE
   */
  async broadcast(group: Key, message: unknown): Promise<number> {
    const kept = copy(message)
    const members = await this.members(group)
    for (const pid of members) this.#owner.send(pid, kept)
    return members.length
  }

  /**
   * Has the handle's process told of everybody who joins or leaves a group, or any group, until it dies or unsubscribes:
   * one `{ type: 'join' | 'leave', ref, group, pid }` each, a `leave` also for each death. Mirrors `pg:monitor/2`.
   * @returns who is in now, and the reference that the messages carry
   */
  async subscribe(group?: Key): Promise<GroupSubscription> {
    const request = group === undefined ? {} : { group: checked(group) }
    return (await this.#ask({ kind: 'subscribe', ...request })) as GroupSubscription
  }

  /** Ends a subscription: once this has resolved no message of it comes. Harmless when repeated. */
  async unsubscribe(ref: Ref): Promise<void> {
    await this.#ask({ kind: 'unsubscribe', ref })
  }

  /** Ends the groups with `normal`, which harms nobody; resolves once their process is dead. */
  stop(): Promise<void> {
    return this.#owner.stop(this.pid)
  }

  #ask(request: GroupsRequest): Promise<unknown> {
    return this.#owner.call(this.pid, request)
  }
}

const startable = (options: ProcessGroupsOptions): Startable => ({
  entry: actor,
  args: undefined,
  options: { thread: 'system', label: 'ProcessGroups', ...options },
})

/** Before anything is sent. */
function checked(group: Key): Key {
  keyText(group)
  return group
}

const listed = (pids: Pid | readonly Pid[]): readonly Pid[] => (isList(pids) ? pids : [pids])
const isList = (pids: Pid | readonly Pid[]): pids is readonly Pid[] => Array.isArray(pids)
