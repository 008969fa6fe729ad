import type { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { CommitEvent, SessionState } from '../../variables/session-state.js'
import { columnsOf } from './columns.js'
import type { LinkParts } from './link-parts.js'
import type { FromBridge } from './messages.js'
import type { News } from './session-copy.js'

interface Member {
  readonly pid: Pid
  /** It has had everything up to this revision, which is more than has been told to all; or 0. */
  seen: number
}

const type = 'beamline:bridge'

/** The contexts of a session in this system, and what they are told. */
export class Members {
  readonly #session: string
  readonly #parts: Pick<LinkParts, 'send' | 'serverId' | 'proofOfLife'>
  readonly #all = new Map<string, Member>()
  /** Those that were told that their session is missing: they count, and are told nothing until they attach anew. */
  readonly #lost = new Set<string>()

  constructor(session: string, parts: Pick<LinkParts, 'send' | 'serverId' | 'proofOfLife'>) {
    this.#session = session
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#all.size === 0 && this.#lost.size === 0
  }

  /** Whether there are some that wait for what is to be told. */
  get listen(): boolean {
    return this.#all.size > 0
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

  /** Tells all of them, or one. */
  link(state: 'live' | 'stale', pid?: Pid): void {
    const proofOfLife = this.#parts.proofOfLife()
    const session = this.#session
    const message = { type, kind: 'link', session, state, server: this.#parts.serverId(), proofOfLife } as const
    if (pid === undefined) this.#tell(message)
    else this.#parts.send(pid, message)
  }

  /** All of them begin again from one state, whatever they have had. */
  resync(state: SessionState, reason: string): void {
    for (const member of this.#all.values()) member.seen = 0
    this.#tell({ type, kind: 'resync', session: this.#session, state, reason })
  }

  /** None is told again of what it has had. */
  events(news: News): void {
    const message = { type, kind: 'events', session: this.#session, ...news } as const
    let told: FromBridge | undefined
    for (const member of this.#all.values()) {
      const { pid, seen } = member
      if (news.through <= seen) continue
      if (seen === 0) told ??= inColumns(message)
      this.#parts.send(
        pid,
        seen === 0 ? (told as FromBridge) : inColumns({ ...message, events: after(news.events, seen) }),
      )
      // From here on it is one of all.
      member.seen = 0
    }
  }

  /** What follows begins before `revision`, up to which all of them have had everything. */
  rewound(revision: number): void {
    for (const member of this.#all.values()) member.seen = Math.max(member.seen, revision)
  }

  missing(): void {
    this.#tell({ type, kind: 'missing', session: this.#session })
    for (const key of this.#all.keys()) this.#lost.add(key)
    this.#all.clear()
  }

  closed(error: BeamlineError): void {
    this.#tell({ type, kind: 'closed', session: this.#session, error })
  }

  #tell(message: FromBridge): void {
    for (const { pid } of this.#all.values()) this.#parts.send(pid, message)
  }
}

function inColumns(message: FromBridge & { kind: 'events' }): FromBridge {
  const columns = columnsOf(message.events)
  if (columns === undefined) return message
  const { type, session, through, head } = message
  return { type, kind: 'sets', session, through, head, ...columns }
}

const after = (events: readonly CommitEvent[], revision: number): readonly CommitEvent[] =>
  events.filter((event) => event.revision > revision)
