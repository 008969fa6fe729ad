import type { RawPid, RawRef } from '../threads/pid.js'
import type { RunningThread, ThreadEnd } from '../threads/pools.js'
import type { ExitReason } from './exit-reason.js'
import type { Verdict } from './verdict.js'

/** A worker thread, as main sees it. */
export class Thread {
  readonly id: number
  /** Whether it is for one process only; all others are for a place in the roster, or have one. */
  readonly isolated: boolean
  /** Its place in the roster, once it has one. */
  place: number | undefined
  /** Its program runs. */
  runs = false
  /** Whether its program came to run. */
  readonly ready: Promise<boolean>
  readonly closed: Promise<void>
  readonly gone: Promise<void>
  readonly links = new Set<number>()
  readonly isReady: (yes: boolean) => void
  readonly linkClosed: () => void
  /** The spawn that an isolated thread was opened, or taken, for. */
  spawn: RawRef | undefined
  /** The first process of an isolated thread. */
  resident: RawPid | undefined
  /** What its process is made of, for the spares that come after it. */
  modules: readonly string[] = []
  /** Why the thread is being ended, for the processes that are the cause, and what that means for all others on it. */
  verdict: Verdict | undefined
  /** The last error that no code of it caught; user code may have survived it. */
  lastWords: ExitReason | undefined
  readonly #running: RunningThread

  /** @param bury runs when its program has ended, or its worker has */
  constructor(
    id: number,
    isolated: boolean,
    place: number | undefined,
    running: RunningThread,
    bury: (thread: Thread, end: ThreadEnd) => Promise<void>,
  ) {
    this.id = id
    this.isolated = isolated
    this.place = place
    this.#running = running
    ;[this.ready, this.isReady] = signalled<boolean>()
    ;[this.closed, this.linkClosed] = signalled<void>()
    this.gone = running.ended.then((end) => bury(this, end))
  }

  /** Ends it wherever its code is, unless it is being ended. */
  end(verdict: Verdict): void {
    if (this.verdict !== undefined) return
    this.verdict = verdict
    this.#running.kill()
  }
}

function signalled<T>(): [Promise<T>, (value: T) => void] {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return [promise, resolve]
}
