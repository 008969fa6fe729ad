import type { Clock, Timer } from '../../threads/clock.js'
import type { Context } from '../../variables/context.js'
import type { Sessions } from './session.js'

/** Milliseconds between two looks at what may expire, at most and at least. */
const RARELY = 60_000
const OFTEN = 10

/** How often to look after sessions that may end when nobody has used them for `ttlMs`. */
export const lookEvery = (ttlMs: number): number => Math.min(RARELY, Math.max(OFTEN, ttlMs / 4))

/** Whoever watches a session keeps it, and so does who writes in it from elsewhere: the sessions are told so in time. */
export class Upkeep {
  readonly #clock: Clock
  readonly #sessions: Sessions
  readonly #used: () => Iterable<string>
  #timer: Timer | undefined

  /** @param used the sessions that were used since it asked last */
  constructor(clock: Clock, sessions: Sessions, used: () => Iterable<string>) {
    this.#clock = clock
    this.#sessions = sessions
    this.#used = used
  }

  /** Looks from now on; harmless when repeated. */
  begin(): void {
    const { ttlMs } = this.#sessions
    if (this.#timer !== undefined || !Number.isFinite(ttlMs)) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.begin()
      for (const id of this.#used())
        this.#sessions.touch(id).catch(() => {
          // It has ended, or the sessions are not to be had now: the next time tells.
        })
    }, lookEvery(ttlMs))
  }

  end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** Whether anything is committed in a session of which nothing else is heard: whoever has a handle to it may write. */
export class Movement {
  #revision = 0

  /** Whether there were commits since it was asked last. */
  async hasMoved(context: Context): Promise<boolean> {
    // Writes nothing, and is answered with the revision.
    const { revision } = await context.updateMany({})
    const before = this.#revision
    this.#revision = revision
    return revision !== before
  }
}
