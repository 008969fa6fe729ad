import { randomUUID } from 'node:crypto'
import { type Behaviour, behaviour } from '../../actors/behaviour.js'
import { Exit } from '../../actors/exit-reason.js'
import { Call, Cast, type Down, type ExitMessage, type From, isDown, isExit } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { BeamlineError } from '../../errors.js'
import { Pid } from '../../threads/pid.js'
import { Context } from '../../variables/context.js'
import { nextContext } from '../../variables/context-keeper.js'
import type { SessionState } from '../../variables/session-state.js'
import type { MemoryNote, SessionRecord } from './server-memory-actor.js'
import { type Kept, keyOf, storedOf } from './session-kept.js'
import { checkSessionId, type StoreArgs, type StoredSession, type StoreRequest } from './session-store.js'
import { lookEvery, Movement } from './session-upkeep.js'

/** The process that has the sessions of a server. Loaded by name. */
export const sessionStoreActor = behaviour<StoreArgs>(async (self, args) => {
  const store = new SessionStore(self, args)
  await store.recover()
  return store
})

const SWEEP = 'beamline:sweep'

/** Makes sessions, which are contexts, and ends those that nobody uses. */
class SessionStore implements Behaviour {
  readonly #self: Process
  readonly #args: StoreArgs
  readonly #sessions = new Map<string, Kept>()
  /** By the reference of the monitor. */
  readonly #monitored = new Map<string, Kept>()
  #isClosed = false

  constructor(self: Process, args: StoreArgs) {
    this.#self = self
    this.#args = args
    self.trapExit = true
    this.#sweepLater()
  }

  /** Takes over the sessions of a store that has died. */
  async recover(): Promise<void> {
    for (const record of (await this.#self.call(this.#args.memory, 'sessions')) as SessionRecord[]) {
      const { uid, id, createdAt, metadata, pid } = record
      const context = this.#find(record)
      if (context === undefined || pid === undefined) {
        this.#note({ kind: 'forget', id })
        // One that had only begun nobody was told of.
        if (context !== undefined) await context.stop().catch(() => {})
        continue
      }
      const session = this.#keep({ uid, id, createdAt, metadata })
      session.context = context
      this.#monitor(session)
    }
  }

  #find({ pid, ...session }: SessionRecord): Context | undefined {
    try {
      return Context.attach(this.#self, keyOf(session))
    } catch {
      // One whose thread has died, too, has no name now, but a successor later.
      return pid === undefined ? undefined : Context.attach(this.#self, pid)
    }
  }

  handle(message: unknown): void | Promise<void> {
    if (isExit(message)) return this.#leave(message)
    if (message instanceof Call) void this.#answer(message.from, message.request as StoreRequest)
    else if (message instanceof Cast) this.#touch((message.request as { id: string }).id)
    else if (isDown(message)) void this.#down(message)
    else if (message === SWEEP) this.#sweep()
  }

  /** Its sessions end with it, unless it is killed. */
  async #leave({ reason }: ExitMessage): Promise<void> {
    await this.#close()
    throw new Exit(reason)
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(Array.from(this.#sessions.values(), (session) => this.#end(session)))
  }

  async #answer(from: From, request: StoreRequest): Promise<void> {
    try {
      this.#self.reply(from, await this.#serve(request))
    } catch (error) {
      if (error instanceof BeamlineError) return this.#self.replyError(from, error)
      const text = `the session could not be had: ${(error as Error)?.message}`
      this.#self.replyError(from, new BeamlineError('UNAVAILABLE', text, { cause: error }))
    }
  }

  async #serve(request: StoreRequest): Promise<unknown> {
    switch (request.kind) {
      case 'create':
        return this.#create(request)
      case 'get': {
        const session = await this.#use(request.id)
        return session && storedOf(session)
      }
      case 'touch':
        return (await this.#use(request.id)) !== undefined
      case 'delete': {
        const session = await this.#live(request.id)
        if (session !== undefined) await this.#end(session)
        return session !== undefined
      }
      case 'list':
        return [...this.#sessions.values()].filter(({ context, ending }) => context && !ending).map(storedOf)
      case 'close':
        return this.#close()
    }
  }

  async #create({ id, metadata, state }: StoreRequest & { kind: 'create' }): Promise<StoredSession> {
    checkSessionId(id)
    // Not a turn later than it was asked, if possible: what is asked next may be about this session.
    if (this.#sessions.has(id) && (await this.#live(id)) !== undefined) throw exists(id)
    if (this.#sessions.has(id)) throw exists(id)
    if (this.#isClosed) throw new BeamlineError('UNAVAILABLE', 'this server takes no more sessions: it ends')
    const { maxSessions } = this.#args
    if (this.#sessions.size >= maxSessions) {
      const details = { limit: 'maxSessions', retryAfterMs: 1000 }
      throw new BeamlineError('EXHAUSTED', `this server has ${maxSessions} sessions at most`, { details })
    }
    const session = this.#keep({ uid: randomUUID(), id, createdAt: Date.now(), metadata })
    this.#noted(session)
    session.begun = this.#begin(session, state)
    await session.begun
    return storedOf(session)
  }

  async #begin(session: Kept, state: unknown): Promise<void> {
    const { id } = session
    try {
      const origin = { key: keyOf(session), ...(state !== undefined && { state: state as SessionState }) }
      session.context = await Context.start(this.#self, { id }, origin)
    } catch (error) {
      this.#forget(session)
      throw error
    }
    session.usedAt = this.#now
    this.#monitor(session)
    this.#noted(session)
  }

  #keep(about: Pick<Kept, 'uid' | 'id' | 'createdAt' | 'metadata'>): Kept {
    const session: Kept = {
      ...about,
      context: undefined,
      monitor: undefined,
      usedAt: this.#now,
      movement: new Movement(),
      look: undefined,
      begun: Promise.resolve(),
      ending: undefined,
    }
    this.#sessions.set(about.id, session)
    return session
  }

  async #use(id: string): Promise<Kept | undefined> {
    const session = await this.#live(id)
    if (session !== undefined) session.usedAt = this.#now
    return session
  }

  /** The session of that id, once it has begun; none when it has ended, is about to, or would have been ended before. */
  async #live(id: string): Promise<Kept | undefined> {
    const session = this.#sessions.get(id)
    if (session === undefined) return undefined
    try {
      await session.begun
    } catch {
      return undefined
    }
    if (this.#isExpired(session)) await this.#look(session)
    if (session.ending === undefined && !this.#isExpired(session)) {
      const pid = session.context?.pid
      if (pid === undefined || this.#self.system.isAlive(pid)) return session
      // Its thread has died, or it has ended, and the word of it is still under way.
      if ((await nextContext(this.#self, pid)) !== undefined) return session
      this.#forget(session)
      return undefined
    }
    await this.#end(session)
    return undefined
  }

  #touch(id: string): void {
    const session = this.#sessions.get(id)
    if (session !== undefined) session.usedAt = this.#now
  }

  #end(session: Kept): Promise<void> {
    session.ending ??= this.#stop(session)
    return session.ending
  }

  async #stop(session: Kept): Promise<void> {
    await session.begun.catch(() => {})
    try {
      await session.context?.stop()
      this.#forget(session)
    } catch {
      // One that does not answer: no better can be done for it.
      if (session.context !== undefined) this.#self.exit(session.context.pid, 'kill')
      this.#forget(session)
    }
  }

  #monitor(session: Kept, pid = session.context?.pid): void {
    if (pid === undefined) return
    this.#calm(session)
    session.monitor = this.#self.monitor(pid)
    this.#monitored.set(session.monitor.toString(), session)
  }

  #calm(session: Kept): void {
    if (session.monitor === undefined) return
    this.#monitored.delete(session.monitor.toString())
    this.#self.demonitor(session.monitor)
    session.monitor = undefined
  }

  /** Whether a context has ended, or only its thread, is known to its keeper. */
  async #down({ ref, pid }: Down): Promise<void> {
    const session = this.#monitored.get(ref.toString())
    if (session === undefined) return
    const next = pid instanceof Pid ? await nextContext(this.#self, pid).catch(() => undefined) : undefined
    if (next === undefined) return this.#forget(session)
    // A handle that was never used does not find the successor by itself.
    if (session.context?.pid.equals(next) === false) session.context = Context.attach(this.#self, next)
    this.#monitor(session, next)
    this.#noted(session)
  }

  #forget(session: Kept): void {
    this.#calm(session)
    if (this.#sessions.get(session.id) !== session) return
    this.#sessions.delete(session.id)
    this.#note({ kind: 'forget', id: session.id })
  }

  #noted({ uid, id, createdAt, metadata, context }: Kept): void {
    this.#note({ kind: 'keep', record: { uid, id, createdAt, metadata, pid: context?.pid } })
  }

  #note(note: MemoryNote): void {
    this.#self.cast(this.#args.memory, note)
  }

  get #now(): number {
    return this.#self.system.clock.now()
  }

  #isExpired({ usedAt }: Kept): boolean {
    return this.#now > usedAt + this.#args.ttlMs
  }

  #sweep(): void {
    this.#sweepLater()
    const before = this.#now - lookEvery(this.#args.ttlMs)
    for (const session of this.#sessions.values()) if (session.usedAt <= before) void this.#look(session)
  }

  #look(session: Kept): Promise<void> {
    session.look ??= this.#lookAt(session).finally(() => {
      session.look = undefined
    })
    return session.look
  }

  /** Ends a session whose time is over, unless something has been committed in it meanwhile. */
  async #lookAt(session: Kept): Promise<void> {
    const { context, movement, ending } = session
    if (context === undefined || ending !== undefined) return
    // One that does not answer is in no use, either.
    if (await movement.hasMoved(context).catch(() => false)) session.usedAt = this.#now
    else if (this.#isExpired(session)) void this.#end(session)
  }

  #sweepLater(): void {
    const { ttlMs } = this.#args
    if (!Number.isFinite(ttlMs)) return
    this.#self.sendAfter(this.#self.pid, SWEEP, lookEvery(ttlMs))
  }
}

const exists = (id: string): BeamlineError =>
  new BeamlineError('ALREADY_EXISTS', `Session already exists: ${id}`, { details: { session: id } })
