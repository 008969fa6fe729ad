import type { Pid } from '../../threads/pid.js'
import type { CommitEvent } from '../../variables/session-state.js'
import type { FromBridge } from './messages.js'

type Events = Extract<FromBridge, { readonly kind: 'events' }>

interface Member {
  readonly pid: Pid
  /** It has had everything up to this revision, which is more than has been told to all; or 0. */
  seen: number
}

/** The contexts of a session in this system. */
export class Members {
  readonly #send: (pid: Pid, message: FromBridge) => void
  readonly #all = new Map<string, Member>()
  /** Those that were told that their session is missing: they count, and are told nothing until they attach anew. */
  readonly #lost = new Set<string>()

  constructor(send: (pid: Pid, message: FromBridge) => void) {
    this.#send = send
  }

  get isEmpty(): boolean {
    return this.#all.size === 0 && this.#lost.size === 0
  }

  /** @param seen up to which it has had everything, when that is more than the others have */
  add(pid: Pid, seen = 0): void {
    const key = pid.toString()
    this.#lost.delete(key)
    this.#all.set(key, { pid, seen })
  }

  delete(pid: Pid): void {
    const key = pid.toString()
    this.#lost.delete(key)
    this.#all.delete(key)
  }

  tell(message: FromBridge): void {
    for (const { pid } of this.#all.values()) this.#send(pid, message)
  }

  /** All of them begin again from one state, whatever they have had. */
  resync(message: FromBridge): void {
    for (const member of this.#all.values()) member.seen = 0
    this.tell(message)
  }

  /** None is told again of what it has had. */
  tellEvents(message: Events): void {
    for (const member of this.#all.values()) {
      const { pid, seen } = member
      if (message.through <= seen) continue
      this.#send(pid, seen === 0 ? message : { ...message, events: after(message.events, seen) })
      // From here on it is one of all.
      member.seen = 0
    }
  }

  /** What follows begins before `revision`, up to which all of them have had everything. */
  rewound(revision: number): void {
    for (const member of this.#all.values()) member.seen = Math.max(member.seen, revision)
  }

  lose(message: FromBridge): void {
    this.tell(message)
    for (const key of this.#all.keys()) this.#lost.add(key)
    this.#all.clear()
  }
}

const after = (events: readonly CommitEvent[], revision: number): readonly CommitEvent[] =>
  events.filter((event) => event.revision > revision)
