import { randomUUID } from 'node:crypto'
import type { Process } from '../../actors/process.js'
import type { Metadata, Written } from '../../variables/change.js'
import { Context } from '../../variables/context.js'
import { checkSessionId, noSession, type StoredSession, type StoreLine } from './session-store.js'

/** What is said of a session. */
export interface SessionInfo {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
}

/** So many handles are looked through for such as are of no more use. */
const MANY = 1000

/** The sessions of a server for its host, who has them without gRPC. Each use puts off a session's end. */
export class ServerSessions {
  readonly #owner: Process
  readonly #store: StoreLine
  /** Handles of the owner's, for `update`. */
  readonly #used = new Map<string, Context>()

  /** @internal Made by `BridgeServer.start`. */
  constructor(owner: Process, store: StoreLine) {
    this.#owner = owner
    this.#store = store
  }

  /**
   * Makes a session. The handle belongs to whoever started the server; its `stop` ends the session.
   * @throws BeamlineError ALREADY_EXISTS, EXHAUSTED, INVALID_TYPE for an id that is none
   */
  async create(
    id: string = randomUUID(),
    { metadata = {} }: { readonly metadata?: Readonly<Record<string, string>> } = {},
  ): Promise<Context> {
    return this.#attach((await this.#store.ask({ kind: 'create', id: checkSessionId(id), metadata })) as StoredSession)
  }

  /** A handle to a session. @throws BeamlineError NOT_FOUND */
  async get(id: string): Promise<Context> {
    const stored = (await this.#store.ask({ kind: 'get', id })) as StoredSession | undefined
    if (stored === undefined) throw noSession(id)
    return this.#attach(stored)
  }

  /**
   * Writes a variable of a session, as `Context.set` does.
   * @throws BeamlineError NOT_FOUND for an unknown session or variable, INVALID_TYPE, CONSTRAINT
   */
  async update(sessionId: string, name: string, value: unknown, metadata?: Metadata): Promise<Written> {
    const known = this.#used.get(sessionId)
    if (known !== undefined && this.#owner.system.isAlive(known.pid)) {
      this.#store.touch(sessionId)
      return known.set(name, value, metadata)
    }
    const context = await this.get(sessionId)
    if (this.#used.size >= MANY) this.#forgetDead()
    this.#used.set(sessionId, context)
    return context.set(name, value, metadata)
  }

  /** Ends a session, for everyone. @returns whether there was one */
  async delete(id: string): Promise<boolean> {
    this.#used.delete(id)
    return (await this.#store.ask({ kind: 'delete', id })) as boolean
  }

  /** The sessions there are, oldest first. */
  async list(): Promise<SessionInfo[]> {
    const all = (await this.#store.ask({ kind: 'list' })) as StoredSession[]
    return all.map(({ id, createdAt, metadata }) => ({ id, createdAt, metadata }))
  }

  #forgetDead(): void {
    for (const [id, { pid }] of this.#used) if (!this.#owner.system.isAlive(pid)) this.#used.delete(id)
  }

  #attach({ pid, id }: StoredSession): Context {
    return Context.attachKnown(this.#owner, pid, id)
  }
}
