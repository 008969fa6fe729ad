import { BeamlineError } from '../../errors.js'
import { Reason, type WatchCreate } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Caller } from './guard.js'
import type { Limits } from './limits.js'
import type { Mirrors } from './mirrors.js'
import type { OpenSession, SessionLine } from './session-line.js'
import { itemOf } from './stream-frame.js'
import { ServerWatch } from './stream-watch.js'
import type { WatchEnd, WatchHost } from './stream-wish.js'
import { wishOf } from './stream-wishes.js'
import type { StreamWriter } from './stream-writer.js'

/** A watch that was asked for: it is there once its session was found. */
interface Asked {
  readonly session: string
  watch: ServerWatch | undefined
}

/** What the watches of a stream need of it. */
export interface WatchesHost {
  readonly writer: StreamWriter
  readonly caller: Caller
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
      const wish = wishOf(create, limits)
      caller.require(sessionId, 'observe')
      const asked: Asked = { session: sessionId, watch: undefined }
      this.#asked.set(watchId, asked)
      this.#host.line(sessionId).run(
        (open) => this.#begin(asked, open, wish),
        (error) => {
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

  /** Answers with how far a watch is, once that is `atLeast`, or all that there is; 0 stands for what there is now. */
  progress(id: number, atLeast: number): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    const { writer, mirrors } = this.#host
    const report = (least: number) => {
      const { watch } = asked
      if (watch === undefined || watch.isOver) return
      if (least > watch.mirror.head) writer.report(watch)
      else writer.barrier(watch, least)
    }
    this.#host.line(asked.session).run(
      ({ session, mirror }) => {
        if (atLeast > 0 && atLeast <= mirror.head) return report(atLeast)
        const now = () => report(atLeast === 0 ? mirror.head : atLeast)
        mirrors.fence(session).then(now, now)
      },
      () => {
        // The watch says by itself that its session has ended.
      },
    )
  }

  /** Tells of each watch how far it is. @param patience with receivers that do not let their watch come to its end */
  beat(patience: number): void {
    for (const [id, { watch, session }] of this.#asked) {
      if (watch === undefined) continue
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
    const watch = this.#asked.get(id)?.watch
    this.#asked.delete(id)
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
