import type { Down } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { Pid, type Ref } from '../../threads/pid.js'
import { Context } from '../../variables/context.js'
import { nextContext } from '../../variables/context-keeper.js'
import type { SessionState } from '../../variables/session-state.js'
import type { Session, Sessions } from './session.js'
import { checkSessionId, noSession, type StoredSession, type StoreLine } from './session-store.js'

/** A session to which this thread has a handle. */
class Attached implements Session {
  readonly uid: string
  readonly id: string
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
  readonly context: Context
  readonly #end = new AbortController()
  /** The process that was its context when last heard of. */
  pid: Pid
  monitor: Ref | undefined
  /** When the store was told last that it is in use. */
  touchedAt: number

  constructor({ uid, id, createdAt, metadata, pid }: StoredSession, context: Context, now: number) {
    this.uid = uid
    this.id = id
    this.createdAt = createdAt
    this.metadata = metadata
    this.context = context
    this.pid = pid
    this.touchedAt = now
  }

  get signal(): AbortSignal {
    return this.#end.signal
  }

  end(): void {
    this.#end.abort(noSession(this.id))
  }
}

/** The sessions as the process of the server knows them: it asks the store once, and hears of the ends by itself. */
export class SessionDirectory implements Sessions {
  readonly ttlMs: number
  readonly #self: Process
  readonly #store: StoreLine
  /** Milliseconds in which one word of use to the store is enough. */
  readonly #pause: number
  readonly #attached = new Map<string, Attached>()
  readonly #monitored = new Map<string, Attached>()
  readonly #asked = new Map<string, Promise<Attached>>()

  constructor(self: Process, store: StoreLine, ttlMs: number) {
    this.#self = self
    this.#store = store
    this.ttlMs = ttlMs
    this.#pause = Math.min(1000, ttlMs / 10)
  }

  /** How many this thread has a handle to. */
  get size(): number {
    return this.#attached.size
  }

  async get(id: string): Promise<Session> {
    const known = this.#attached.get(id)
    if (known !== undefined && this.#self.system.isAlive(known.pid)) {
      this.#used(known)
      return known
    }
    // Several that ask at a time are answered by one question.
    const asked = this.#asked.get(id) ?? this.#ask(id).finally(() => this.#asked.delete(id))
    this.#asked.set(id, asked)
    return asked
  }

  async create(id: string, metadata: Readonly<Record<string, string>>, state?: SessionState): Promise<Session> {
    checkSessionId(id)
    const request = { kind: 'create', id, metadata, ...(state !== undefined && { state }) } as const
    return this.#attach((await this.#store.ask(request)) as StoredSession)
  }

  async delete(id: string): Promise<boolean> {
    const wasThere = (await this.#store.ask({ kind: 'delete', id })) as boolean
    const known = this.#attached.get(id)
    // Another may have come in its place meanwhile.
    if (known !== undefined && !this.#self.system.isAlive(known.pid)) this.#end(known)
    return wasThere
  }

  async touch(id: string): Promise<boolean> {
    const known = this.#attached.get(id)
    if (known === undefined || !this.#self.system.isAlive(known.pid))
      return (await this.#store.ask({ kind: 'touch', id })) as boolean
    this.#used(known)
    return true
  }

  async list(): Promise<Session[]> {
    return ((await this.#store.ask({ kind: 'list' })) as StoredSession[]).map((stored) => this.#attach(stored))
  }

  /** A `DOWN` has come; says whether it was of a session. */
  heard({ ref, pid }: Down): boolean {
    const session = this.#monitored.get(ref.toString())
    if (session === undefined) return false
    this.#monitored.delete(ref.toString())
    void this.#succeed(session, pid)
    return true
  }

  async #ask(id: string): Promise<Attached> {
    const stored = (await this.#store.ask({ kind: 'get', id })) as StoredSession | undefined
    if (stored !== undefined) return this.#attach(stored)
    const known = this.#attached.get(id)
    if (known !== undefined) this.#end(known)
    throw noSession(id)
  }

  #attach(stored: StoredSession): Attached {
    const known = this.#attached.get(stored.id)
    if (known?.uid === stored.uid && !known.signal.aborted) return known
    if (known !== undefined) this.#end(known)
    const session = new Attached(
      stored,
      Context.attachKnown(this.#self, stored.pid, stored.id),
      this.#self.system.clock.now(),
    )
    this.#attached.set(stored.id, session)
    this.#monitor(session)
    return session
  }

  #monitor(session: Attached): void {
    session.monitor = this.#self.monitor(session.pid)
    this.#monitored.set(session.monitor.toString(), session)
  }

  /** A context whose thread has died comes back: that is no end. */
  async #succeed(session: Attached, dead: Pid | string): Promise<void> {
    const next = dead instanceof Pid ? await nextContext(this.#self, dead).catch(() => undefined) : undefined
    if (next === undefined) return this.#end(session)
    if (session.signal.aborted) return
    session.pid = next
    this.#monitor(session)
  }

  #end(session: Attached): void {
    if (session.monitor !== undefined) {
      this.#monitored.delete(session.monitor.toString())
      this.#self.demonitor(session.monitor)
    }
    if (this.#attached.get(session.id) === session) this.#attached.delete(session.id)
    session.end()
  }

  #used(session: Attached): void {
    const now = this.#self.system.clock.now()
    if (now - session.touchedAt < this.#pause) return
    session.touchedAt = now
    this.#store.touch(session.id)
  }
}
