import type { ServerWritableStream } from '@grpc/grpc-js'
import { BeamlineError } from '../../../errors.js'
import type { Timer } from '../../../threads/clock.js'
import type { VariableUpdate, WatchVariablesRequest } from '../../gen/snakepit/bridge/bridge.js'
import { type Created, ResumeResult } from '../../gen/snakepit/bridge/watch/v1/watch.js'
import { refusalOf } from '../../wire/status.js'
import type { Mirror } from '../mirror.js'
import type { Standing } from '../mirror-standing.js'
import { ServerWatch } from '../stream-watch.js'
import type { WatchHost, WatchWish } from '../stream-wish.js'
import { VariableUpdates } from './variable-updates.js'

export type WatchCall = ServerWritableStream<WatchVariablesRequest, VariableUpdate>

/** Where a client that comes back goes on. */
export type Resume = NonNullable<WatchWish['resume']>

const resyncs: Readonly<Record<number, string>> = {
  [ResumeResult.RESUME_RESULT_COMPACTED]: 'compacted',
  [ResumeResult.RESUME_RESULT_NEW_INCARNATION]: 'new_incarnation',
  [ResumeResult.RESUME_RESULT_FUTURE]: 'future',
}

/** Changes taken from the log at once. */
const CHUNK = 256

/** What a watch needs to know. */
export interface VariableWish {
  /** The variables that were asked for, by their ids; all of them when none was named. */
  readonly ids: readonly string[]
  readonly initial: boolean
  readonly resume: Resume | undefined
}

/** A `WatchVariables`: a lossless watch whose client says nothing. It is told as fast as it takes what it is told. */
export class VariableWatch {
  readonly #call: WatchCall
  readonly #wish: VariableWish
  readonly #updates: VariableUpdates
  readonly #watch: ServerWatch
  readonly #host: Pick<WatchHost, 'clock' | 'turns'>
  readonly #heartbeatMs: number
  /** What has been taken from the log and not been written. */
  #queue: VariableUpdate[] = []
  #at = 0
  #created: Created | undefined
  /** What has come of a snapshot. */
  #begun: Standing[] = []
  /** Up to where the client had been told when the watch last began. */
  #before = 0
  #isWriting = false
  #isScheduled = false
  #timer: Timer | undefined
  /** Why it ends, once all that waits is written. */
  #end: BeamlineError | undefined
  #goal = Number.POSITIVE_INFINITY
  readonly #ended = new AbortController()
  #isClosed = false

  constructor(
    call: WatchCall,
    mirror: Mirror,
    wish: VariableWish,
    host: Pick<WatchHost, 'clock' | 'turns'>,
    heartbeatMs: number,
  ) {
    this.#call = call
    this.#wish = wish
    this.#host = host
    this.#heartbeatMs = heartbeatMs
    this.#updates = new VariableUpdates(mirror)
    this.#before = wish.resume?.revision ?? 0
    const watchWish: WatchWish = {
      id: 1,
      wanted: { names: new Set(), ids: new Set(wish.ids), prefixes: [], all: wish.ids.length === 0 },
      policy: 'lossless',
      minIntervalMs: 0,
      onGap: 'snapshot',
      credit: Number.POSITIVE_INFINITY,
      allowMissing: true,
      resume: wish.resume,
    }
    this.#watch = new ServerWatch(watchWish, mirror, {
      ...host,
      maxCredit: Number.POSITIVE_INFINITY,
      ready: () => this.#wake(),
      created: (_, created) => {
        this.#created = created
      },
      over: (_, { detail, retryAfterMs }) => this.#over(detail, retryAfterMs),
    })
  }

  /** Aborts when it has ended. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  begin(): void {
    for (const over of ['cancelled', 'close', 'error']) this.#call.on(over, () => this.close())
    if (this.#call.cancelled) return this.close()
    this.#watch.begin()
    this.#beat()
    this.#pump()
  }

  /** It ends once all is written that was committed up to `goal`. */
  drain(goal: number): void {
    this.#goal = goal
    this.#pump()
  }

  /** The session has ended, or there are too many snapshots. */
  #over(detail: string, retryAfterMs: number | undefined): void {
    const code = retryAfterMs === undefined ? 'NOT_FOUND' : 'EXHAUSTED'
    this.#end = new BeamlineError(code, detail, { details: retryAfterMs === undefined ? {} : { retryAfterMs } })
    this.#wake()
  }

  /** Not at once: a mirror that tells of a commit has not taken in all of it. */
  #wake(): void {
    if (this.#isScheduled || this.#isWriting || this.#isClosed) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  /** Writes the next update, unless one is under way. */
  #pump(): void {
    while (!this.#isWriting && !this.#isClosed) {
      const update = this.#next()
      if (update === undefined) return this.#rest()
      this.#isWriting = true
      this.#call.write(update, this.#written)
    }
  }

  readonly #written = (): void => {
    this.#isWriting = false
    this.#pump()
  }

  #rest(): void {
    if (this.#end !== undefined) this.close(this.#end)
    else if (this.#watch.reach >= this.#goal) this.close(new BeamlineError('UNAVAILABLE', 'the server is about to end'))
  }

  #next(): VariableUpdate | undefined {
    while (this.#at >= this.#queue.length) {
      this.#queue = []
      this.#at = 0
      if (!this.#fill()) return undefined
    }
    return this.#queue[this.#at++]
  }

  /** @returns whether something was taken from the log */
  #fill(): boolean {
    const allowance = { events: CHUNK, bytes: Number.POSITIVE_INFINITY, split: false }
    let piece = this.#watch.next(allowance)
    if (piece?.kind === 'short') piece = this.#watch.next({ ...allowance, events: piece.needs.events })
    // It was overtaken, and has begun anew.
    if (piece === undefined) return this.#watch.isReady
    if (piece.kind === 'short') return false
    if (piece.kind === 'snapshot') this.#snapshot(piece.variables, piece.revision, piece.last)
    else {
      this.#queue = piece.events.map((event) => this.#updates.event(event))
      this.#before = piece.through
    }
    return true
  }

  #snapshot(variables: readonly Standing[], revision: number, last: boolean): void {
    this.#begun.push(...variables)
    if (!last) return
    const standings = this.#inOrder(this.#begun)
    this.#begun = []
    const reason = resyncs[this.#created?.resume ?? 0]
    if (reason !== undefined) {
      this.#queue = this.#updates.resync(standings, { reason, lostFrom: this.#before + 1, lostTo: revision })
    } else if (this.#wish.initial) {
      this.#queue = standings.map((standing) => this.#updates.initial(standing))
      this.#queue.push(this.#updates.note('initial_end', revision))
    } else for (const standing of standings) this.#updates.known(standing)
    this.#before = revision
  }

  /** In the order in which they were asked for. */
  #inOrder(standings: readonly Standing[]): readonly Standing[] {
    const { ids } = this.#wish
    if (ids.length === 0) return standings
    const places = new Map(ids.map((id, at) => [id, at]))
    return [...standings].sort((a, b) => (places.get(a.born.id) ?? 0) - (places.get(b.born.id) ?? 0))
  }

  /** Who is told nothing else is told that nothing has been missed, and up to where. */
  #beat(): void {
    const { clock } = this.#host
    this.#timer = clock.setTimeout(() => {
      this.#beat()
      this.#watch.check(Number.POSITIVE_INFINITY)
      if (this.#isWriting || this.#at < this.#queue.length || this.#isClosed) return
      this.#queue = [this.#updates.note('heartbeat', this.#watch.reach)]
      this.#at = 0
      this.#pump()
    }, this.#heartbeatMs)
  }

  /** The one way in which it ends; harmless when repeated. */
  close(error?: BeamlineError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer)
    this.#watch.remove()
    this.#queue = []
    if (error !== undefined && !this.#call.cancelled) this.#call.emit('error', refusalOf(error))
    this.#ended.abort()
  }
}
