import type { Process } from '../../actors/process.js'
import { isRecord } from '../../variables/shape.js'
import type { Session } from './session.js'

/** What the process sends itself: it comes behind all that has come before. */
const FENCE = 'beamline:mirror-fence'

function isFence(message: unknown): message is { readonly fence: number } {
  return isRecord(message) && message['type'] === FENCE
}

/** A fence that is under way, and the one after it. */
interface Line {
  readonly now: Promise<void>
  next: Promise<void> | undefined
}

/** Waits for mirrors to be as far as their sessions were. However many ask of a session, one fence is under way at a time. */
export class Fences {
  readonly #self: Process
  readonly #waiting = new Map<number, () => void>()
  readonly #lines = new WeakMap<Session, Line>()
  #count = 0

  constructor(self: Process) {
    this.#self = self
  }

  /** Resolves when every mirror has taken in what had come to this thread before. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      const fence = ++this.#count
      this.#waiting.set(fence, resolve)
      this.#self.send(this.#self.pid, { type: FENCE, fence })
    })
  }

  /** @returns whether a message that has come to the process was for it */
  take(message: unknown): boolean {
    if (!isFence(message)) return false
    this.#waiting.get(message.fence)?.()
    return this.#waiting.delete(message.fence)
  }

  /**
   * Resolves when the mirror of a session has every commit that its context had when it was asked: the fence that is under
   * way may be too early for that, and all who come meanwhile share the next.
   * @param run begins a fence
   */
  share(session: Session, run: () => Promise<void>): Promise<void> {
    const line = this.#lines.get(session)
    if (line === undefined) return this.#begin(session, run)
    const next = () => this.#begin(session, run)
    line.next ??= line.now.then(next, next)
    return line.next
  }

  #begin(session: Session, run: () => Promise<void>): Promise<void> {
    const line: Line = { now: run(), next: undefined }
    this.#lines.set(session, line)
    const over = () => {
      if (line.next === undefined && this.#lines.get(session) === line) this.#lines.delete(session)
    }
    line.now.then(over, over)
    return line.now
  }
}
