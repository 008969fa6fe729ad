import { isDown } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { BeamlineError } from '../../errors.js'
import type { Clock, Timer } from '../../threads/clock.js'
import type { Pid, Ref } from '../../threads/pid.js'
import { Context } from '../../variables/context.js'
import { closeFeed, fedEvents, isFed, openFeed } from '../../variables/feed.js'
import type { Fed as FedMessage, FeedStart } from '../../variables/session-state.js'
import { Mirror } from './mirror.js'
import { Fences } from './mirror-fences.js'
import { defaultBounds, type LogBounds } from './mirror-log.js'
import type { ServiceDeps } from './service-deps.js'
import type { Session, Sessions } from './session.js'
import { Upkeep } from './session-upkeep.js'

/** A mirror, and how it is fed. */
interface Fed {
  readonly session: Session
  readonly opened: Promise<Mirror>
  mirror: Mirror | undefined
  /** The feed is being opened: what it tells is kept in `early` until it is known where it begins. */
  isOpening: boolean
  early: FedMessage[]
  /** Something was committed since it was last asked. */
  isUsed: boolean
  /** Its context has died since it was opened. */
  isDown: boolean
  /** Its session is over, and it is about to hear so. */
  timer: Timer | undefined
  pid: Pid | undefined
  monitor: Ref | undefined
}

/** Milliseconds that the death of a session's context may take. */
const PATIENCE = 1000

/** The copies of sessions that one process keeps: each made when it is first needed, and kept until its session ends. */
export class Mirrors {
  readonly #self: Process
  readonly #clock: Clock
  readonly #bounds: LogBounds
  readonly #all = new Map<string, Fed>()
  readonly #fences: Fences
  readonly #upkeep: Upkeep

  constructor(self: Process, sessions: Sessions, bounds: LogBounds = defaultBounds) {
    this.#self = self
    this.#clock = self.system.clock
    this.#bounds = bounds
    this.#fences = new Fences(self)
    this.#upkeep = new Upkeep(this.#clock, sessions, () => this.#used())
  }

  get count(): number {
    return this.#all.size
  }

  *#used(): IterableIterator<string> {
    for (const fed of this.#all.values()) {
      if (fed.isUsed || (fed.mirror?.watchers ?? 0) > 0) yield fed.session.id
      fed.isUsed = false
    }
  }

  /** @throws BeamlineError NOPROC when the session's context has ended */
  open(session: Session): Promise<Mirror> {
    const known = this.#all.get(session.id)
    if (known?.session.context === session.context || (known !== undefined && !known.session.signal.aborted))
      return known.opened
    if (known !== undefined) this.#end(known, ended(known.session))
    let begin: (mirror: Promise<Mirror>) => void = () => {}
    const opened = new Promise<Mirror>((resolve) => {
      begin = resolve
    })
    const fed: Fed = {
      session,
      opened,
      mirror: undefined,
      isOpening: true,
      early: [],
      isUsed: false,
      isDown: false,
      timer: undefined,
      pid: undefined,
      monitor: undefined,
    }
    this.#all.set(session.id, fed)
    this.#upkeep.begin()
    begin(this.#begin(fed))
    session.signal.addEventListener('abort', () => this.#ending(fed), { once: true })
    if (session.signal.aborted) this.#ending(fed)
    return opened
  }

  /** What the session's context committed last may still be on its way: the news of its death comes behind that. */
  #ending(fed: Fed): void {
    if (fed.monitor === undefined || fed.isOpening) return this.#end(fed, ended(fed.session))
    fed.timer = this.#clock.setTimeout(() => this.#end(fed, ended(fed.session)), PATIENCE)
  }

  async #begin(fed: Fed): Promise<Mirror> {
    try {
      await Context.acquaint(fed.session.context)
      const start = await this.#openFeed(fed)
      const mirror = new Mirror(fed.session.id, start, this.#clock, this.#bounds)
      fed.mirror = mirror
      if (this.#all.get(fed.session.id) !== fed) mirror.end(ended(fed.session))
      this.#opened(fed, mirror)
      return mirror
    } catch (error) {
      this.#remove(fed)
      throw error
    }
  }

  /** @throws BeamlineError NOPROC when the context has ended and nothing comes in its place */
  async #openFeed(fed: Fed, mirror?: Mirror): Promise<FeedStart> {
    const { context } = fed.session
    for (;;) {
      fed.isOpening = true
      fed.isDown = false
      fed.early = []
      const { pid } = context
      try {
        fed.pid = pid
        fed.monitor = this.#self.monitor(pid)
        return await openFeed(this.#self, pid, mirror && { incarnation: mirror.incarnation, revision: mirror.head })
      } catch (error) {
        if (!isGone(error)) throw error
        await this.#successor(fed, pid)
      }
    }
  }

  /** Waits for the process that comes in the place of one that died with its thread. */
  async #successor({ session: { context, signal } }: Fed, before: Pid): Promise<void> {
    for (;;) {
      try {
        await context.getMany([])
        if (!context.pid.equals(before)) return
        throw new BeamlineError('NOPROC', `the context ${context.id} has ended`)
      } catch (error) {
        if (!(error instanceof BeamlineError && error.code === 'CALL_TIMEOUT') || signal.aborted) throw error
      }
    }
  }

  #opened(fed: Fed, mirror: Mirror): void {
    fed.isOpening = false
    for (const early of fed.early.splice(0)) feed(mirror, early)
    if (fed.isDown) void this.#reopen(fed, mirror)
  }

  /** Resolves when every mirror has taken in what had come to this thread before. */
  settled(): Promise<void> {
    return this.#fences.settled()
  }

  /**
   * Resolves when the mirror of a session has every commit that its context had when it was asked.
   * @throws BeamlineError NOPROC
   */
  fence(session: Session): Promise<void> {
    return this.#fences.share(session, async () => {
      await session.context.getMany([])
      await this.settled()
    })
  }

  /** Takes a message that has come to the process, if it is for a mirror. @returns whether it was */
  take(message: unknown): boolean {
    if (isFed(message)) {
      const fed = this.#all.get(message.context)
      if (fed === undefined) return true
      // One that only asked for the revision committed nothing.
      if ('sets' in message || message.events.length > 0) fed.isUsed = true
      if (fed.mirror === undefined || fed.isOpening) fed.early.push(message)
      else feed(fed.mirror, message)
      return true
    }
    if (this.#fences.take(message)) return true
    if (!isDown(message)) return false
    for (const fed of this.#all.values()) {
      if (fed.monitor?.equals(message.ref) !== true) continue
      fed.isDown = true
      fed.monitor = undefined
      if (fed.timer !== undefined) this.#end(fed, ended(fed.session))
      else if (fed.mirror !== undefined && !fed.isOpening) void this.#reopen(fed, fed.mirror)
      return true
    }
    return false
  }

  /** The context has died: with its thread, then it comes back, or for good. */
  async #reopen(fed: Fed, mirror: Mirror): Promise<void> {
    fed.isOpening = true
    try {
      if (fed.pid !== undefined) await this.#successor(fed, fed.pid)
      mirror.resume(await this.#openFeed(fed, mirror))
      this.#opened(fed, mirror)
    } catch {
      this.#end(fed, ended(fed.session))
    }
  }

  #end(fed: Fed, error: BeamlineError): void {
    this.#remove(fed)
    fed.mirror?.end(error)
  }

  #remove(fed: Fed): void {
    if (this.#all.get(fed.session.id) === fed) this.#all.delete(fed.session.id)
    if (this.#all.size === 0) this.#upkeep.end()
    if (fed.timer !== undefined) this.#clock.clearTimeout(fed.timer)
    fed.timer = undefined
    if (fed.monitor === undefined) return
    this.#self.demonitor(fed.monitor, { flush: true })
    fed.monitor = undefined
    if (fed.pid !== undefined) closeFeed(this.#self, fed.pid)
  }
}

/** What is late of a session that has ended is not for the one that has come in its place. */
function feed(mirror: Mirror, message: FedMessage): void {
  if (message.incarnation === mirror.incarnation) mirror.take(fedEvents(message))
}

function ended({ id }: Session): BeamlineError {
  return new BeamlineError('NOT_FOUND', `Session not found: ${id}`, { details: { session: id } })
}

const isGone = (error: unknown): boolean => error instanceof BeamlineError && error.code === 'NOPROC'

const mirrorsOfDeps = new WeakMap<ServiceDeps, Mirrors>()

/** The copies of sessions that the services of one server share. */
export function mirrorsOf(deps: ServiceDeps, bounds?: LogBounds): Mirrors {
  const known = mirrorsOfDeps.get(deps)
  if (known !== undefined) return known
  const made = new Mirrors(deps.self, deps.sessions, bounds)
  mirrorsOfDeps.set(deps, made)
  deps.onMessage((message) => made.take(message))
  return made
}
