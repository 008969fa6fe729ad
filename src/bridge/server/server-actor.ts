import { type Behaviour, behaviour } from '../../actors/behaviour.js'
import { doze } from '../../actors/doze.js'
import { Exit, type ExitReason } from '../../actors/exit-reason.js'
import { Call, isDown, isExit } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import { GrpcServer } from './grpc-server.js'
import type { Binding, MemoryNote } from './server-memory-actor.js'
import type { ServerSettings } from './server-options.js'
import { SessionDirectory } from './session-directory.js'
import { StoreLine } from './session-store.js'

/** What the process of a server is started with, and started again. */
export interface ServerArgs {
  readonly settings: ServerSettings
  /** The process that keeps what must outlive this one. */
  readonly memory: Pid
  /** The name of the process that has the sessions. */
  readonly store: string
  readonly hostTools: Pid
}

/** What it is asked, by call. */
export type ServerRequest =
  | { readonly kind: 'stats' }
  /** Answered once the last call has ended, or was cut off; the server is of no more use then. */
  | { readonly kind: 'drain'; readonly graceMs: number }

/** Milliseconds that calls have to end when the system, and not the host, ends the server. */
const SHORT_GRACE = 1000

/** The process that is a server, on a thread of its own: the only one that loads gRPC. Loaded by name. */
export const serverActor = behaviour<ServerArgs>(async (self, args) => {
  doze(self)
  const actor = new ServerActor(self, args)
  await actor.listen()
  return actor
})

/** Says that the server has come to its end, and why. */
class Over {
  readonly type = 'beamline:server-over'
  readonly reason: ExitReason

  constructor(reason: ExitReason) {
    this.reason = reason
  }
}

const isOver = (message: unknown): message is Over => (message as Over | null)?.type === 'beamline:server-over'

class ServerActor implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #args: ServerArgs
  readonly #sessions: SessionDirectory
  readonly #takers: ((message: unknown) => boolean)[] = []
  readonly #server: GrpcServer

  constructor(self: Process, args: ServerArgs) {
    this.#self = self
    this.#args = args
    self.trapExit = true
    const { settings, store, hostTools } = args
    this.#sessions = new SessionDirectory(self, new StoreLine(self, store), settings.ttlMs)
    this.#server = new GrpcServer(settings, {
      self,
      sessions: this.#sessions,
      hostTools,
      onMessage: (taker) => void this.#takers.push(taker),
    })
  }

  /** Where the one before it listened, if there was one. */
  async listen(): Promise<void> {
    const { memory, settings } = this.#args
    const { address } = (await this.#self.call(memory, 'address')) as Binding
    try {
      await this.#note({ kind: 'bound', address: await this.#server.listen(address ?? settings.address) })
    } catch (error) {
      if (error instanceof BeamlineError) await this.#note({ kind: 'failed', error })
      throw error
    }
  }

  handle(message: unknown): void {
    if (message instanceof Call && isServerRequest(message.request)) return this.#answer(message)
    if (isExit(message)) return void this.#end(message.reason)
    if (isOver(message)) throw new Exit(message.reason)
    if (isDown(message) && this.#sessions.heard(message)) return
    for (const taker of this.#takers) if (taker(message)) return
  }

  #answer({ from, request }: Call): void {
    if ((request as ServerRequest).kind === 'stats')
      return this.#self.reply(from, { ...this.#server.stats, attached: this.#sessions.size })
    const { graceMs } = request as ServerRequest & { kind: 'drain' }
    void this.#server.drain(graceMs).then(() => this.#self.reply(from, undefined))
  }

  /** Not awaited where the message is taken: while it drains, other messages are what makes that an end. */
  async #end(reason: ExitReason): Promise<void> {
    await this.#server.drain(SHORT_GRACE)
    this.#self.send(this.#self.pid, new Over(reason))
  }

  async #note(note: MemoryNote): Promise<void> {
    await this.#self.call(this.#args.memory, note)
  }
}

function isServerRequest(request: unknown): request is ServerRequest {
  const kind = (request as { kind?: unknown } | null)?.kind
  return kind === 'stats' || kind === 'drain'
}
