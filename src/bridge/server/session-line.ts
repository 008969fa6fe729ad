import { BeamlineError } from '../../errors.js'
import type { SessionState } from '../../variables/session-state.js'
import type { Mirror } from './mirror.js'
import type { Mirrors } from './mirrors.js'
import type { Session, Sessions } from './session.js'

/** A session, and its copy on this thread. */
export interface OpenSession {
  readonly session: Session
  readonly mirror: Mirror
}

/** How a session is to be joined. */
export interface Joining {
  readonly create: boolean
  /** @throws BeamlineError PERMISSION_DENIED for who may not make it */
  permit(): void
  readonly state: SessionState | undefined
  readonly metadata: Readonly<Record<string, string>>
}

type Work = (open: OpenSession) => void
type Failed = (error: unknown) => void

interface Step {
  readonly joining: Joining | undefined
  readonly work: (open: OpenSession, created: boolean) => void
  readonly failed: Failed
}

/** How often the expiry of a session is put off at most. */
const TOUCH_MS = 250

/**
 * What one client does with one session, in the order in which it came: it waits for the session to be found, and from then
 * on for nothing.
 */
export class SessionLine {
  readonly id: string
  /** The types of variables whose definition is under way. */
  readonly defining = new Map<string, string>()
  readonly #sessions: Sessions
  readonly #mirrors: Mirrors
  readonly #now: () => number
  #steps: Step[] = []
  #isMoving = false
  #open: OpenSession | undefined
  #touched = Number.NEGATIVE_INFINITY

  constructor(id: string, sessions: Sessions, mirrors: Mirrors, now: () => number) {
    this.id = id
    this.#sessions = sessions
    this.#mirrors = mirrors
    this.#now = now
  }

  /** The session, once it has been found and as long as it is there. */
  get open(): OpenSession | undefined {
    const open = this.#open
    if (open === undefined) return undefined
    if (!open.session.signal.aborted && open.mirror.closed === undefined) return open
    this.#open = undefined
    return undefined
  }

  /** Whether nothing waits for the session. */
  get isIdle(): boolean {
    return !this.#isMoving
  }

  /** Calls `work` with the session, at once when nothing is before it. */
  run(work: Work, failed: Failed): void {
    const open = this.#isMoving ? undefined : this.open
    if (open === undefined) return this.#push({ joining: undefined, work, failed })
    this.touch()
    work(open)
  }

  join(joining: Joining, work: Step['work'], failed: Failed): void {
    this.#push({ joining, work, failed })
  }

  /** Whoever uses a session keeps it. */
  touch(): void {
    const now = this.#now()
    if (now - this.#touched < TOUCH_MS) return
    this.#touched = now
    this.#sessions.touch(this.id).catch(() => {
      // It is of no use to the one who used it.
    })
  }

  #push(step: Step): void {
    this.#steps.push(step)
    if (!this.#isMoving) void this.#move()
  }

  async #move(): Promise<void> {
    this.#isMoving = true
    for (;;) {
      const step = this.#steps[0]
      if (step === undefined) break
      await this.#take(step)
    }
    this.#isMoving = false
  }

  async #take(step: Step): Promise<void> {
    try {
      const created = step.joining === undefined ? false : await this.#join(step.joining)
      const open = await this.#find()
      this.#steps.shift()
      step.work(open, created)
      // What needs nothing but the session goes on with it, all in this turn.
      while (this.#steps[0] !== undefined && this.#steps[0].joining === undefined)
        this.#steps.shift()?.work(open, false)
    } catch (error) {
      if (this.#steps[0] === step) this.#steps.shift()
      step.failed(error)
      while (this.#steps[0] !== undefined && this.#steps[0].joining === undefined) this.#steps.shift()?.failed(error)
    }
  }

  async #find(): Promise<OpenSession> {
    const known = this.open
    if (known !== undefined) return known
    const session = await this.#sessions.get(this.id)
    const mirror = await this.#mirrors.open(session)
    this.#open = { session, mirror }
    return this.#open
  }

  /** @returns whether the session was made */
  async #join({ create, state, metadata, permit }: Joining): Promise<boolean> {
    if (!create && state === undefined) return false
    if (state === undefined && (this.open !== undefined || (await this.#isThere()))) return false
    permit()
    try {
      await this.#sessions.create(this.id, metadata, state)
      return true
    } catch (error) {
      // Somebody else was first.
      if (state === undefined && error instanceof BeamlineError && error.code === 'ALREADY_EXISTS') return false
      throw error
    }
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#sessions.get(this.id)
      return true
    } catch (error) {
      if (error instanceof BeamlineError && error.code === 'NOT_FOUND') return false
      throw error
    }
  }
}
