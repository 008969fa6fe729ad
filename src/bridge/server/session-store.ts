import type { Process } from '../../actors/process.js'
import { BeamlineError, shown } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { SessionState } from '../../variables/session-state.js'

/** What the store of sessions is asked, by call; `touch` may also be told, by cast. */
export type StoreRequest =
  /** @returns a {@link StoredSession} */
  | {
      readonly kind: 'create'
      readonly id: string
      readonly metadata: Readonly<Record<string, string>>
      readonly state?: SessionState
    }
  /** @returns a {@link StoredSession}; undefined for an unknown one */
  | { readonly kind: 'get'; readonly id: string }
  /** @returns whether there was one; it has ended then */
  | { readonly kind: 'delete'; readonly id: string }
  /** @returns whether there is one */
  | { readonly kind: 'touch'; readonly id: string }
  /** @returns {@link StoredSession}s, oldest first */
  | { readonly kind: 'list' }
  /** Ends all, and takes no more. */
  | { readonly kind: 'close' }

/** A session as the store tells of it. */
export interface StoredSession {
  /** Another for each session, also of one id. */
  readonly uid: string
  readonly id: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
  /** The process that is its context at present. */
  readonly pid: Pid
}

/** What a process needs to be such a store. */
export interface StoreArgs {
  /** The process that keeps what is known of sessions when this one dies. */
  readonly memory: Pid
  readonly ttlMs: number
  readonly maxSessions: number
}

export const storeEntry = { module: new URL('./session-store-actor.js', import.meta.url), export: 'sessionStoreActor' }

/** Milliseconds between two attempts to find a store that is being started again, and how long it is looked for. */
const PAUSE = 5
const PATIENCE = 5000

/** The way of one process to the store of sessions, which it knows by name. */
export class StoreLine {
  readonly #self: Process
  readonly #name: string
  #isOver = false

  constructor(self: Process, name: string) {
    this.#self = self
    this.#name = name
  }

  /** The store has ended for good. */
  end(): void {
    this.#isOver = true
  }

  /**
   * @throws BeamlineError what the store refuses; UNAVAILABLE when it dies while it makes a session, or does not come back;
   * STOPPED when it has ended for good
   */
  async ask(request: StoreRequest): Promise<unknown> {
    const { clock } = this.#self.system
    const end = clock.now() + PATIENCE
    for (;;) {
      if (this.#isOver)
        throw new BeamlineError('STOPPED', 'the server of these sessions has been stopped: start another')
      const store = this.#self.system.whereis(this.#name)
      try {
        if (store !== undefined) return await this.#self.call(store, request, { timeout: PATIENCE })
      } catch (error) {
        if (!(error instanceof BeamlineError) || error.code !== 'NOPROC') throw error
        if (request.kind === 'create') throw unavailable(error)
      }
      if (clock.now() >= end) throw unavailable()
      await new Promise<void>((resolve) => clock.setTimeout(resolve, PAUSE))
    }
  }

  /** Tells it of a use, if it is there. */
  touch(id: string): void {
    const request: StoreRequest = { kind: 'touch', id }
    this.#self.cast(this.#name, request)
  }
}

function unavailable(cause?: BeamlineError): BeamlineError {
  const text = 'the sessions of this server are not to be had now: try again'
  return new BeamlineError('UNAVAILABLE', text, { cause, details: { retryAfterMs: 100 } })
}

/** @throws BeamlineError INVALID_TYPE */
export function checkSessionId(id: unknown): string {
  if (typeof id === 'string' && id !== '' && id.length <= 1024) return id
  const text = `session id: ${shown(id)} is none: give a text of 1 to 1,024 characters`
  throw new BeamlineError('INVALID_TYPE', text, { details: { option: 'id' } })
}

export const noSession = (id: string): BeamlineError =>
  new BeamlineError('NOT_FOUND', `Session not found: ${id}`, { details: { session: id } })
