import { type Behaviour, behaviour } from '../../actors/behaviour.js'
import { Call, Cast } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import type { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'

/** A session as it is known to whoever starts the store of sessions again. */
export interface SessionRecord {
  /** Another for each session, also of one id. */
  readonly uid: string
  readonly id: string
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
  /** Undefined as long as its context is being started. */
  readonly pid: Pid | undefined
}

/** What this process is told, by cast or, by whoever may die of it, by call. */
export type MemoryNote =
  | { readonly kind: 'keep'; readonly record: SessionRecord }
  | { readonly kind: 'forget'; readonly id: string }
  | { readonly kind: 'bound'; readonly address: string }
  | { readonly kind: 'failed'; readonly error: BeamlineError }

/** What it is asked, by call. */
export type MemoryRequest = 'sessions' | 'address' | MemoryNote

/** What `address` is answered. */
export interface Binding {
  /** Where the server was bound first; undefined before. */
  readonly address: string | undefined
  /** Why it could not be bound the last time. */
  readonly error: BeamlineError | undefined
  /** How often it was bound. */
  readonly starts: number
}

/**
 * Keeps, on main, what must outlive the threads of a server: where it is bound, and which sessions there are. Loaded by
 * name.
 */
export const serverMemoryActor = behaviour<undefined>((self) => new ServerMemory(self))

class ServerMemory implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #sessions = new Map<string, SessionRecord>()
  #binding: Binding = { address: undefined, error: undefined, starts: 0 }

  constructor(self: Process) {
    this.#self = self
  }

  handle(message: unknown): void {
    if (message instanceof Cast) this.#note(message.request as MemoryNote)
    else if (message instanceof Call) {
      this.#self.reply(message.from, this.#serve(message.request as MemoryRequest))
    }
  }

  #serve(request: MemoryRequest): unknown {
    if (request === 'sessions') return [...this.#sessions.values()]
    if (request === 'address') return this.#binding
    return this.#note(request)
  }

  #note(note: MemoryNote): void {
    const { starts, address } = this.#binding
    if (note.kind === 'keep') this.#sessions.set(note.record.id, note.record)
    else if (note.kind === 'forget') this.#sessions.delete(note.id)
    else if (note.kind === 'failed') this.#binding = { starts, address, error: note.error }
    else this.#binding = { starts: starts + 1, address: note.address, error: undefined }
  }
}
