import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { SessionState } from '../../variables/session-state.js'
import {
  type Batch,
  type Canceled,
  type Created,
  Reason,
  type ResumeResult,
  type Snapshot,
  type WatchProgress,
} from '../gen/snakepit/bridge/watch/v1/watch.js'
import { fromFailure, toState } from '../wire/native-codec.js'
import type { Credit } from './acks.js'
import type { Attach, LinkParts, Watching } from './link-parts.js'
import { Members } from './members.js'
import { Retries } from './retries.js'
import { SessionCopy } from './session-copy.js'
import { Waiting } from './waiting.js'
import { alreadyThere, beyondReading, endOf, reasonOf, retryOf } from './watch-ends.js'

/**
 * One session of a server, for the contexts of it in this system. `joining` brings the session, `watching` waits for what
 * it is now, then it is `live`, until the connection is lost.
 */
export class SessionLink implements Watching {
  readonly session: string
  readonly #parts: LinkParts
  readonly #members: Members
  readonly #copy = new SessionCopy()
  #phase: 'offline' | 'joining' | 'watching' | 'live' | 'missing' | 'closed' = 'offline'
  readonly #waiting: Waiting
  #credit: Credit | undefined
  /** The server on which the session is known to have been. */
  #home: string | undefined
  readonly #retries: Retries

  constructor(session: string, parts: LinkParts) {
    this.session = session
    this.#parts = parts
    this.#members = new Members(session, parts)
    this.#waiting = new Waiting(session, parts.refuse)
    this.#retries = new Retries(parts.clock)
  }

  /** Commits of the session that have not arrived yet, as far as the server has told. */
  get lag(): number {
    return this.#copy.lag
  }

  attach(attach: Attach): void {
    this.#waiting.delete(attach.pid)
    if (this.#phase === 'live') return this.#admit(attach)
    this.#waiting.add(attach)
    this.online()
  }

  detach(pid: Pid): void {
    this.#members.delete(pid)
    this.#waiting.delete(pid)
    this.#close()
  }

  /** Ends it when nobody is left. */
  #close(): void {
    if (!this.#members.isEmpty || !this.#waiting.isEmpty || this.#phase === 'closed') return
    this.#end(new BeamlineError('STOPPED', `no context is attached to the session ${this.session} any more`))
  }

  /** There is a connection, and what was under way on the one before has been seen to. */
  online(): void {
    if (this.#phase === 'offline' || this.#phase === 'missing') this.#begin()
  }

  /** @param wait whether those wait for another connection that have not been here before */
  offline(wait: boolean): void {
    this.#unwatch(false)
    this.#retries.stop()
    if (this.#phase === 'live') this.#members.link('stale')
    if (this.#phase === 'live' || this.#phase === 'watching') this.#phase = 'offline'
    this.#waiting.lost(wait)
    this.#close()
  }

  /** Nothing will bring the session back. */
  close(error: BeamlineError): void {
    if (this.#phase === 'closed') return
    this.settle()
    this.#members.closed(error)
    this.#waiting.refuseAll(error)
    this.#end(error)
  }

  #end(error: BeamlineError): void {
    this.#unwatch(true)
    this.#retries.stop()
    this.#phase = 'closed'
    this.#parts.outbox.forget(this.session, error)
    this.#parts.ended(this)
  }

  #begin(): void {
    this.#retries.stop()
    const server = this.#parts.serverId()
    if (server === undefined) return
    const { first } = this.#waiting
    if (this.#copy.isEmpty && first?.seen !== undefined) this.#copy.become(first.seen)
    // Who listens is told what is there, or that it is missing.
    if (!this.#copy.isEmpty || this.#home === server || this.#members.listen) this.#watch()
    else if (first !== undefined) this.#join(first)
  }

  #join(attach: Attach): void {
    this.#phase = 'joining'
    this.#waiting.made(attach)
    const state = attach.state && toState(attach.state)
    const isUnderWay = this.#parts.outbox.postAtOnce({
      session: this.session,
      what: 'join',
      op: () => ({ $case: 'join', value: { state, create: attach.create, metadata: {} } }),
      done: (reply, error) => {
        if (this.#phase !== 'joining') return
        this.#phase = 'offline'
        if (reply?.outcome?.$case === 'joined') return this.#joined()
        const failure = reply?.outcome?.$case === 'failure' ? fromFailure(reply.outcome.value) : error
        // When the connection was lost, and the server replaced, it is asked again.
        if (reply !== undefined || failure?.code !== 'UNAVAILABLE') this.#refused(attach, failure)
      },
    })
    if (!isUnderWay) this.#phase = 'offline'
  }

  #joined(): void {
    this.#home = this.#parts.serverId()
    if (this.#waiting.isEmpty) return this.#close()
    if (this.#home !== undefined) this.#watch()
  }

  #refused(attach: Attach, failure: BeamlineError | undefined): void {
    const error = failure ?? new BeamlineError('UNAVAILABLE', `the server did not say whether ${this.session} is there`)
    const isWaiting = this.#waiting.has(attach)
    if (isWaiting && attach.yields && error.code === 'ALREADY_EXISTS')
      return this.attach({ ...attach, state: undefined, yields: false })
    if (isWaiting) this.#parts.refuse(attach.from, error)
    this.#waiting.delete(attach.pid)
    this.#close()
    if (!this.#waiting.isEmpty) this.online()
  }

  #watch(): void {
    this.#phase = 'watching'
    this.#copy.watch()
    this.#credit = this.#parts.watch(this, this.#copy.token)
  }

  #unwatch(tell: boolean): void {
    const credit = this.#credit
    this.#credit = undefined
    if (credit === undefined) return
    this.#parts.acks.forget(credit)
    if (tell) this.#parts.unwatch(credit)
  }

  created(created: Created): void {
    if (this.#copy.created(created)) this.#live()
  }

  snapshot(snapshot: Snapshot): void {
    this.#use(snapshot.variables.length, snapshot.revision)
    let resume: ResumeResult | undefined
    try {
      resume = this.#copy.snapshot(snapshot)
    } catch (error) {
      return this.close(beyondReading(this.session, error))
    }
    if (resume !== undefined) this.#resynced(resume)
  }

  #resynced(resume: ResumeResult): void {
    const state = this.#state()
    if (state !== undefined && !this.#members.isEmpty) {
      const reason = reasonOf(resume)
      this.#members.resync(state, reason)
      this.#parts.resynced(this.session, reason)
    }
    this.#live()
  }

  batch(batch: Batch): void {
    this.#use(batch.events.length, batch.through)
    try {
      if (!this.#copy.batch(batch)) this.#parts.gap(`${this.session}: events came after ${batch.prev}, out of order`)
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#anew()
    }
  }

  progress(progress: WatchProgress): void {
    if (this.#phase !== 'live') return
    this.#copy.progress(progress)
    this.settle()
    this.#members.link('live')
  }

  canceled({ reason, detail, retryAfterMs }: Canceled): void {
    this.#unwatch(false)
    if (reason === Reason.REASON_NOT_FOUND && !this.#wasHere) return this.#look()
    const error = endOf(reason, this.session, detail)
    if (error !== undefined) return this.close(error)
    this.settle()
    if (this.#phase === 'live') this.#members.link('stale')
    this.#retry(retryOf(reason, retryAfterMs))
  }

  /** Whether the session has been on this server: then it is gone for good when it is not there. */
  get #wasHere(): boolean {
    const server = this.#parts.serverId()
    return this.#home === server || this.#waiting.knows(server)
  }

  #use(count: number, through: number): void {
    if (this.#credit !== undefined) this.#parts.acks.used(this.#credit, count, through)
  }

  /** Tells what has come of a frame. */
  settle(): void {
    const news = this.#copy.news()
    if (news !== undefined) this.#members.events(news)
  }

  #live(): void {
    this.#phase = 'live'
    this.#retries.found()
    this.#home = this.#parts.serverId()
    this.#members.link('live')
    for (const attach of this.#waiting.takeAll()) this.attach(attach)
    this.#waiting.settled()
    if (this.#phase === 'live') this.#parts.outbox.setOpen(this.session, true)
  }

  #admit(attach: Attach): void {
    const { from, pid, state, seen } = attach
    if (state !== undefined && !this.#waiting.isMaker(attach) && !attach.yields) {
      this.#parts.refuse(from, alreadyThere(this.session))
      return this.#close()
    }
    this.settle()
    const lack = this.#copy.lackOf(seen)
    if (lack === 'rest' && seen !== undefined) return this.#rewind(attach, seen)
    const goesOn = lack === 'news'
    // It may be ahead of the others.
    this.#members.add(pid, goesOn ? seen?.revision : 0)
    this.#parts.answer(from, goesOn ? undefined : this.#state())
    this.#members.link('live', pid)
  }

  /** One has seen less than the others: what it lacks the server may still have. */
  #rewind(attach: Attach, seen: SessionState): void {
    this.#members.rewound(this.#copy.revision)
    this.#unwatch(true)
    this.#copy.become(seen)
    this.#waiting.add(attach)
    this.#watch()
  }

  /** Its events make no sense: it begins again with all that there is. */
  #anew(): void {
    this.#unwatch(true)
    this.#copy.clear()
    this.#watch()
  }

  /** A server that has been replaced may get its sessions a little later. */
  #look(): void {
    const ms = this.#retries.look()
    if (ms !== undefined) return this.#retry(ms)
    this.#phase = 'missing'
    this.#copy.clear()
    this.#members.missing()
    this.#waiting.remake()
    if (!this.#waiting.isEmpty) this.#begin()
  }

  #retry(ms: number): void {
    this.#phase = 'offline'
    this.#parts.outbox.setOpen(this.session, false)
    this.#retries.after(ms, () => this.#begin())
  }

  #state(): SessionState | undefined {
    const state = this.#copy.state()
    return state && { ...state, server: this.#parts.serverId() }
  }
}
