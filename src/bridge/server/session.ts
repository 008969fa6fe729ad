import type { Context } from '../../variables/context.js'
import type { SessionState } from '../../variables/session-state.js'

/** A session as the process of the server knows it: a context, and what is said of it. */
export interface Session {
  readonly id: string
  /** A handle that belongs to the server's process. */
  readonly context: Context
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
  /** Aborts when the session ends, whoever ended it. */
  readonly signal: AbortSignal
}

/** The sessions of a server, for those who answer its clients. Each use of a session puts off its expiry. */
export interface Sessions {
  /** Milliseconds without a use after which a session ends. */
  readonly ttlMs: number
  /** @throws BeamlineError NOT_FOUND, `Session not found: <id>` */
  get(id: string): Promise<Session>
  /** @throws BeamlineError ALREADY_EXISTS `Session already exists: <id>`, INVALID_TYPE for an id that is none, EXHAUSTED */
  create(id: string, metadata: Readonly<Record<string, string>>, state?: SessionState): Promise<Session>
  /** @returns whether there was one */
  delete(id: string): Promise<boolean>
  /** Puts off the expiry. @returns whether there is one */
  touch(id: string): Promise<boolean>
  list(): Promise<Session[]>
}
