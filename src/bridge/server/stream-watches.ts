import { BeamlineError } from '../../errors.js'
import { Reason, type WatchCreate } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Caller } from './guard.js'
import type { Limits } from './limits.js'
import type { Mirrors } from './mirrors.js'
import type { Bucket } from './service-deps.js'
import type { OpenSession, SessionLine } from './session-line.js'
import { itemOf } from './stream-frame.js'
import type { Load } from './stream-load.js'
import { ServerWatch } from './stream-watch.js'
import type { WatchEnd, WatchHost } from './stream-wish.js'
import { wishOf } from './stream-wishes.js'
import type { StreamWriter } from './stream-writer.js'

/** A watch that was asked for: it is there once its session was found. */
interface Asked {
  readonly session: string
  watch: ServerWatch | undefined
  /** What is asked of how far it is, since the fence began that is under way. */
  waiting: Set<number>
  isFencing: boolean
}

/** What the watches of a stream need of it. */
export interface WatchesHost {
  readonly writer: StreamWriter
  readonly caller: Caller
  readonly bucket: Bucket
  readonly load: Load
  readonly limits: Limits
  readonly mirrors: Mirrors
  /** What the client does with a session, in order. */
  line(session: string): SessionLine
}

/** So long others should wait who want more than there may be. */
const RETRY_MS = 1000

/** The watches of a stream. */
export class StreamWatches {
  readonly #host: WatchesHost
  readonly #watchHost: WatchHost
  readonly #asked = new Map<number, Asked>()
  #isClosed = false

  constructor(host: WatchesHost, base: Pick<WatchHost, 'clock' | 'turns'>) {
    this.#host = host
    this.#watchHost = {
      ...base,
      maxCredit: host.limits.maxCredit,
      ready: (watch) => host.writer.ready(watch),
      created: (_, value) => host.writer.control(itemOf({ $case: 'created', value })),
      over: (watch, end) => this.#end(watch.id, end),
    }
  }

  get size(): number {
    return this.#asked.size
  }

  /** Those whose session was found. */
  *[Symbol.iterator](): IterableIterator<ServerWatch> {
    for (const { watch } of this.#asked.values()) if (watch !== undefined) yield watch
  }

  create(create: WatchCreate): void {
    const { watchId, sessionId } = create
    const { limits, caller } = this.#host
    // Whoever uses a number twice can tell the one watch from the other no more than we can.
    if (this.#asked.has(watchId)) return this.#end(watchId, invalid(`there is a watch ${watchId} already`))
    if (this.#asked.size >= limits.maxWatches) {
      const detail = `a stream has ${limits.maxWatches} watches at most`
      return this.#refuse(watchId, { reason: Reason.REASON_LIMIT, detail, retryAfterMs: RETRY_MS })
    }
    try {
      this.#host.bucket.take()
      const wish = wishOf(create, limits)
      caller.require(sessionId, 'observe')
      const asked: Asked = { session: sessionId, watch: undefined, waiting: new Set(), isFencing: false }
      this.#asked.set(watchId, asked)
      const done = this.#underWay()
      this.#host.line(sessionId).run(
        (open) => {
          done()
          this.#begin(asked, open, wish)
        },
        (error) => {
          done()
          if (this.#asked.get(watchId) === asked) this.#end(watchId, endFor(error))
        },
      )
    } catch (error) {
      this.#refuse(watchId, endFor(error))
    }
  }

  #begin(asked: Asked, open: OpenSession, wish: ReturnType<typeof wishOf>): void {
    const isWanted = () => !this.#isClosed && this.#asked.get(wish.id) === asked
    if (!isWanted()) return
    const { mirror, session } = open
    const watch = new ServerWatch(wish, mirror, this.#watchHost)
    const begin = () => {
      if (!isWanted()) return
      asked.watch = watch
      watch.begin()
    }
    const { resume } = wish
    if (resume === undefined || resume.incarnation !== mirror.incarnation || resume.revision <= mirror.head)
      return begin()
    // It may have seen what the mirror is about to hear.
    this.#host.mirrors.fence(session).then(begin, begin)
  }

  cancel(id: number): void {
    if (this.#asked.has(id)) this.#end(id, { reason: Reason.REASON_CLIENT, detail: '' })
  }

  get(id: number): ServerWatch | undefined {
    return this.#asked.get(id)?.watch
  }

  /** @returns what says, once or more often, that it is over */
  #underWay(): () => void {
    const { load } = this.#host
    let isOver = false
    load.begin()
    return () => {
      if (isOver) return
      isOver = true
      load.end()
      // A stream that only waits for this comes to its end.
      this.#host.writer.wake()
    }
  }

  /** Answers with how far a watch is, once that is `atLeast`, or all that there is; 0 stands for what there is now. */
  progress(id: number, atLeast: number): void {
    const asked = this.#asked.get(id)
    if (asked === undefined || asked.waiting.has(atLeast)) return
    asked.waiting.add(atLeast)
    this.#host.load.begin()
    try {
      this.#host.bucket.take()
    } catch {
      // Who asks too often is answered at the next beat.
      return
    }
    this.#fence(asked)
  }

  /** One fence of a watch is under way at a time: what is asked meanwhile waits for the next. */
  #fence(asked: Asked): void {
    if (asked.isFencing || asked.waiting.size === 0) return
    const { load, mirrors } = this.#host
    const all = asked.waiting
    asked.waiting = new Set()
    asked.isFencing = true
    const over = () => {
      asked.isFencing = false
      load.end(all.size)
      this.#host.writer.wake()
      if (!this.#isClosed) this.#fence(asked)
    }
    this.#host.line(asked.session).run(
      ({ session, mirror }) => {
        const now = () => {
          for (const atLeast of all) this.#report(asked, atLeast === 0 ? mirror.head : atLeast)
          over()
        }
        if ([...all].every((atLeast) => atLeast > 0 && atLeast <= mirror.head)) now()
        else mirrors.fence(session).then(now, now)
      },
      // The watch says by itself that its session has ended.
      over,
    )
  }

  #report({ watch }: Asked, atLeast: number): void {
    const { writer } = this.#host
    if (watch === undefined || watch.isOver || this.#isClosed) return
    if (atLeast > watch.mirror.head) writer.report(watch)
    else writer.barrier(watch, atLeast)
  }

  /** Tells of each watch how far it is. @param patience with receivers that do not let their watch come to its end */
  beat(patience: number): void {
    for (const [id, asked] of this.#asked) {
      const { watch, session } = asked
      if (watch === undefined) continue
      this.#fence(asked)
      try {
        this.#host.caller.require(session, 'observe')
      } catch (error) {
        this.#end(id, endFor(error))
        continue
      }
      watch.check(patience)
      if (!watch.isOver) this.#host.writer.report(watch)
    }
  }

  /** Something of a watch is larger than a frame may be: nothing after it could be told. */
  tooLarge({ id, through }: ServerWatch, bytes: number, hard: number): void {
    const detail = `what follows revision ${through} takes ${bytes} bytes: a frame has ${hard} at most`
    this.#end(id, { reason: Reason.REASON_LIMIT, detail })
  }

  #end(id: number, end: WatchEnd): void {
    this.#refuse(id, end, this.#asked.get(id)?.watch)
    this.#remove(id)
  }

  #refuse(watchId: number, { reason, detail, retryAfterMs = 0 }: WatchEnd, watch?: ServerWatch): void {
    if (this.#isClosed) return
    const { compacted = 0, incarnation = '' } = watch?.mirror ?? {}
    const value = { watchId, reason, detail, compacted, incarnation, retryAfterMs }
    this.#host.writer.control(itemOf({ $case: 'canceled', value }))
  }

  /** The one way in which a watch goes, whoever ends it; harmless when repeated. */
  #remove(id: number): void {
    const asked = this.#asked.get(id)
    const watch = asked?.watch
    this.#asked.delete(id)
    if (asked !== undefined) this.#host.load.end(asked.waiting.size)
    asked?.waiting.clear()
    if (watch === undefined) return
    watch.remove()
    this.#host.writer.forget(watch)
  }

  close(): void {
    this.#isClosed = true
    for (const id of [...this.#asked.keys()]) this.#remove(id)
  }
}

const invalid = (detail: string): WatchEnd => ({ reason: Reason.REASON_INVALID, detail })

const reasons: Readonly<Record<string, Reason>> = {
  NOT_FOUND: Reason.REASON_NOT_FOUND,
  NOPROC: Reason.REASON_NOT_FOUND,
  PERMISSION_DENIED: Reason.REASON_PERMISSION,
  UNAUTHENTICATED: Reason.REASON_PERMISSION,
  INVALID_TYPE: Reason.REASON_INVALID,
  EXHAUSTED: Reason.REASON_LIMIT,
}

/** Why there is no watch. */
function endFor(error: unknown): WatchEnd {
  if (!(error instanceof BeamlineError)) return { reason: Reason.REASON_INTERNAL, detail: 'the server failed' }
  const reason = reasons[error.code] ?? Reason.REASON_INTERNAL
  const { retryAfterMs } = error.details
  return { reason, detail: error.message, ...(typeof retryAfterMs === 'number' && { retryAfterMs }) }
}
