import type { Timer } from '../../threads/clock.js'
import { type Created, Reason, ResumeResult, type WatchProgress } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Mirror, MirrorWatcher } from './mirror.js'
import type { LogEntry } from './mirror-log.js'
import { type Allowance, EveryPending, LatestPending, type Pending } from './stream-pending.js'
import { isWanted } from './stream-selection.js'
import { Snapshot } from './stream-snapshot.js'
import { isThere, type Piece, resultOf, type WatchHost, type WatchWish } from './stream-wish.js'

/**
 * A watch of one stream: how far its receiver has been told, and how much it may be told. What waits for it is a place in
 * the log of its session, or the variables that have changed, and never a queue of its own.
 */
export class ServerWatch implements MirrorWatcher {
  readonly wish: WatchWish
  readonly mirror: Mirror
  /** Its place in the rounds of its stream; see `StreamWriter`. */
  deficit = 0
  isQueued = false
  readonly #host: WatchHost
  readonly #pending: Pending
  #through = 0
  /** What `#through` is a revision of. */
  #incarnation = ''
  #credit: number
  /** The most that it may be told without an acknowledgement: what is larger has to be split. */
  #window: number
  #snapshot: Snapshot | undefined
  /** SAMPLED: until then nothing is told. */
  #notBefore = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #endedAt: number | undefined
  #isOver = false

  constructor(wish: WatchWish, mirror: Mirror, host: WatchHost) {
    this.wish = wish
    this.mirror = mirror
    this.#host = host
    this.#credit = this.#window = Math.min(wish.credit, host.maxCredit)
    const { wanted } = wish
    this.#pending =
      wish.policy === 'lossless'
        ? new EveryPending(
            () => mirror.log,
            wanted.all ? () => true : ({ event }) => isWanted(wanted, event.name, event.id),
          )
        : new LatestPending()
  }

  get id(): number {
    return this.wish.id
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Up to which revision its receiver has been told everything. */
  get through(): number {
    return this.#through
  }

  get credit(): number {
    return this.#credit
  }

  /** The largest number of events that may be told at once. */
  get window(): number {
    return this.#window
  }

  /** Whether something can be sent now. */
  get isReady(): boolean {
    if (this.#isOver) return false
    const snapshot = this.#snapshot
    if (snapshot !== undefined) return snapshot.hasTurn && (this.#credit > 0 || snapshot.isWhole)
    return this.#credit > 0 && !this.#pending.isEmpty && this.#host.clock.now() >= this.#notBefore
  }

  /** Whether something waits, for credit or for its time if not for the stream. */
  get isBehind(): boolean {
    return !this.#isOver && (this.#snapshot !== undefined || !this.#pending.isEmpty)
  }

  /** Begins: nothing that is committed from now on is missed, and nothing that was committed before comes as an event. */
  begin(): void {
    const { mirror } = this
    const { resume, onGap, wanted, allowMissing } = this.wish
    const result = resultOf(mirror, resume)
    if (
      result !== ResumeResult.RESUME_RESULT_FRESH &&
      result !== ResumeResult.RESUME_RESULT_RESUMED &&
      onGap === 'fail'
    )
      return this.#lose(result)
    const missing = [...wanted.names, ...wanted.ids].filter((identifier) => !isThere(mirror, wanted, identifier))
    if (missing.length > 0 && !allowMissing && result !== ResumeResult.RESUME_RESULT_RESUMED)
      return this.#finish(Reason.REASON_NOT_FOUND, `Variable not found: ${missing.join(', ')}`)
    mirror.watch(this, wanted)
    if (result === ResumeResult.RESUME_RESULT_RESUMED && resume !== undefined) this.#goOn(resume.revision, missing)
    else this.#startOver(result, missing)
    if (mirror.closed !== undefined) this.ended()
  }

  #goOn(revision: number, missing: string[]): void {
    const { log } = this.mirror
    this.#through = revision
    this.#host.created(this, this.#createdAt(revision, ResumeResult.RESUME_RESULT_RESUMED, missing))
    for (let at = log.indexAfter(revision); at < log.end; at++) {
      const entry = log.at(at) as LogEntry
      if (isWanted(this.wish.wanted, entry.event.name, entry.event.id)) this.#pending.note(entry)
    }
    this.#wake()
  }

  #startOver(result: ResumeResult, missing: string[]): void {
    const { mirror } = this
    this.#snapshot?.release()
    this.#pending.clear()
    this.#through = 0
    const snapshot = new Snapshot(mirror.select(this.wish.wanted), mirror.head)
    this.#snapshot = snapshot
    this.#host.created(this, this.#createdAt(mirror.head, result, missing))
    snapshot.begin(this.#host, {
      granted: () => this.#wake(),
      refused: (retryAfterMs) =>
        this.#finish(Reason.REASON_LIMIT, 'too many snapshots are under way: try again', retryAfterMs),
    })
    this.#wake()
  }

  #createdAt(revision: number, resume: ResumeResult, missing: string[]): Created {
    const { incarnation, compacted } = this.mirror
    this.#incarnation = incarnation
    return { watchId: this.id, incarnation, revision, compacted, resume, missing }
  }

  committed(entry: LogEntry): void {
    if (this.#isOver) return
    this.#pending.note(entry)
    this.#wake()
  }

  begunAnew(): void {
    if (this.#isOver) return
    const isSame = this.mirror.incarnation === this.#incarnation
    const result = isSame ? ResumeResult.RESUME_RESULT_COMPACTED : ResumeResult.RESUME_RESULT_NEW_INCARNATION
    if (this.wish.onGap === 'fail') this.#lose(result)
    else this.#startOver(result, [])
  }

  /** The session has ended: what was committed is told first. */
  ended(): void {
    this.#endedAt ??= this.#host.clock.now()
    this.#closeWhenTold()
  }

  #closeWhenTold(): void {
    if (this.#endedAt === undefined || this.#isOver || this.isBehind) return
    this.#finish(Reason.REASON_SESSION_CLOSED, this.mirror.closed?.message ?? 'the session has ended')
  }

  /** Looks, from time to time, after what no event would tell of. @param patience for a receiver that gives no credit */
  check(patience: number): void {
    if (this.#isOver) return
    if (this.overtake()) return
    const { closed, head } = this.mirror
    if (this.#endedAt === undefined || this.#host.clock.now() - this.#endedAt < patience) return
    const untold = `${closed?.message ?? 'the session has ended'}; revisions ${this.#through + 1} to ${head} were not taken`
    this.#finish(Reason.REASON_SESSION_CLOSED, untold)
  }

  /**
   * Looks whether its receiver was too slow, so that some of what it was to be told is no longer kept: what that has to say
   * comes before anything else of it.
   * @returns whether it was: it has ended then, or begun anew
   */
  overtake(): boolean {
    if (this.#isOver || !this.#pending.isLost) return false
    this.#overtaken()
    return true
  }

  #overtaken(): void {
    if (this.wish.onGap === 'snapshot') return this.#startOver(ResumeResult.RESUME_RESULT_COMPACTED, [])
    const { compacted } = this.mirror
    const text = `revisions ${this.#through + 1} to ${compacted} were not taken in time, and are no longer kept`
    this.#finish(Reason.REASON_SLOW_CONSUMER, text)
  }

  /** It cannot go on where its receiver was. */
  #lose(result: ResumeResult): void {
    const { compacted, head, incarnation } = this.mirror
    const seen = this.#through > 0 ? this.#through : (this.wish.resume?.revision ?? 0)
    if (result === ResumeResult.RESUME_RESULT_COMPACTED)
      return this.#finish(
        Reason.REASON_COMPACTED,
        `not all after revision ${seen} is kept: begin at ${compacted} or later`,
      )
    const text =
      result === ResumeResult.RESUME_RESULT_FUTURE
        ? `the session never was at revision ${seen}: it is at ${head}`
        : `the session has begun anew, as ${incarnation}`
    this.#finish(Reason.REASON_NEW_INCARNATION, text)
  }

  /** More may be told. */
  acknowledge(credit: number): void {
    this.#credit = Math.min(this.#credit + credit, this.#host.maxCredit)
    this.#window = Math.max(this.#window, this.#credit)
    this.#wake()
  }

  /** What is to be told next, if anything. */
  next(allowance: Allowance): Piece | undefined {
    if (this.overtake() || !this.isReady) return undefined
    const limits = { ...allowance, events: Math.min(allowance.events, this.#credit) }
    const piece = this.#snapshot === undefined ? this.#batch(limits) : this.#chunk(this.#snapshot, limits)
    if (piece?.kind !== 'short') this.#closeWhenTold()
    return piece
  }

  #chunk(snapshot: Snapshot, limits: Allowance): Piece {
    const piece = snapshot.take(limits)
    if (piece.kind === 'short') return piece
    this.#credit -= piece.variables.length
    if (piece.last) {
      snapshot.release()
      this.#snapshot = undefined
      this.#through = piece.revision
    }
    return piece
  }

  #batch(allowance: Allowance): Piece | undefined {
    const { events, needs } = this.#pending.take(allowance)
    if (needs !== undefined) return { kind: 'short', needs }
    if (events.length === 0) return undefined
    this.#credit -= events.length
    const prev = this.#through
    this.#settle()
    if (this.wish.policy === 'sampled') this.#hold()
    return { kind: 'batch', prev, through: this.#through, events }
  }

  #settle(): void {
    this.#through = Math.max(this.#through, this.#pending.settled(this.mirror.head))
  }

  /** How far it could say that it is. */
  get reach(): number {
    return this.#snapshot === undefined
      ? Math.max(this.#through, this.#pending.settled(this.mirror.head))
      : this.#through
  }

  /** How far it is. What is told later comes after that: it has to be told. None when it was overtaken. */
  progress(): WatchProgress | undefined {
    if (this.overtake()) return undefined
    // Before the snapshot is whole its receiver has nothing.
    if (this.#snapshot === undefined) this.#settle()
    return { watchId: this.id, through: this.#through, head: this.mirror.head }
  }

  #hold(): void {
    const { clock } = this.#host
    this.#notBefore = clock.now() + this.wish.minIntervalMs
    this.#stopTimer()
    this.#timer = clock.setTimeout(() => {
      this.#notBefore = Number.NEGATIVE_INFINITY
      this.#timer = undefined
      this.#wake()
    }, this.wish.minIntervalMs)
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wake(): void {
    if (!this.isQueued && this.isReady) this.#host.ready(this)
  }

  #finish(reason: Reason, detail: string, retryAfterMs?: number): void {
    if (this.#isOver) return
    this.#host.over(this, { reason, detail, ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }

  /** Lets go of everything; harmless when repeated. */
  remove(): void {
    this.#isOver = true
    this.#stopTimer()
    this.#snapshot?.release()
    this.#snapshot = undefined
    this.#pending.clear()
    this.mirror.unwatch(this)
  }
}
