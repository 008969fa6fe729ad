import type { Pid } from '../../threads/pid.js'
import type { CommitEvent } from '../../variables/session-state.js'
import { columnsOf } from './columns.js'
import type { FromBridge } from './messages.js'

type Events = Extract<FromBridge, { readonly kind: 'events' }>

interface Member {
  readonly pid: Pid
  /** It has had everything up to this revision. */
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

  add(pid: Pid): void {
    const key = pid.toString()
    this.#lost.delete(key)
    this.#all.set(key, { pid, seen: 0 })
  }

  delete(pid: Pid): void {
    const key = pid.toString()
    this.#lost.delete(key)
    this.#all.delete(key)
  }

  tell(message: FromBridge): void {
    for (const { pid } of this.#all.values()) this.#send(pid, message)
  }

  /** None is told again of what it has had. */
  tellEvents(message: Events): void {
    let told: FromBridge | undefined
    for (const { pid, seen } of this.#all.values()) {
      if (seen === 0) {
        told ??= inColumns(message)
        this.#send(pid, told)
      } else if (message.through > seen) this.#send(pid, { ...message, events: after(message.events, seen) })
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

function inColumns(message: Events): FromBridge {
  const columns = columnsOf(message.events)
  if (columns === undefined) return message
  const { type, session, through, head } = message
  return { type, kind: 'sets', session, through, head, ...columns }
}

const after = (events: readonly CommitEvent[], revision: number): readonly CommitEvent[] =>
  events.filter((event) => event.revision > revision)
