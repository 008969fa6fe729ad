import { BeamlineError } from '../errors.js'
import { type Behaviour, behaviour } from './behaviour.js'
import { type Entry, importModule } from './entry.js'
import { Exit, type ExitReason } from './exit-reason.js'
import { Call, Cast, type From, isExit } from './messages.js'
import type { Process } from './process.js'
import { type MethodCall, type ServerRef, serverRef } from './server-ref.js'

/** The class of a server, as `system.start` takes it. */
export interface ServerClass<S extends Server<never> = Server<never>> {
  new (): S
  /** `import.meta.url` of the class's module, so that it can run on any thread; without it, only on this one. */
  readonly module?: string
  readonly name: string
}

/** What a server's `init` takes. */
export type InitArgs<S extends Server<never>> = Parameters<S['init']>[0]

class Stop {
  readonly reason: ExitReason
  readonly reply: unknown

  constructor(reason: ExitReason, reply: unknown) {
    this.reason = reason
    this.reply = reply
  }
}

const noReply = Symbol('noReply')
const ignore = Symbol('ignore')

/**
 * A process that keeps state and answers calls, one at a time. Its public methods are its protocol: what a method
 * returns (or resolves to) is the answer. A method that throws ends the server, and its caller's promise is rejected
 * with the reason; to refuse a request and live on, answer by {@link refuse}. Mirrors Elixir's `GenServer`.
 *
 * ```ts
 * export class Counter extends Server<{ start: number }> {
 *   static override readonly module = import.meta.url
 *   #count = 0
 *   override init({ start }: { start: number }) { this.#count = start }
 *   increment(by = 1) { return (this.#count += by) }
 * }
 * const counter = await system.start(Counter, { start: 1 })
 * await counter.increment(2)
 * ```
 */
export abstract class Server<A = void> {
  /** `import.meta.url` of the module that exports the class, so that any thread can load it. */
  static readonly module?: string

  /** Returned by a method that will answer later, from {@link from}, or leaves that to another process. */
  protected static readonly noReply = noReply
  /** Returned by `init` when there is nothing to do: the process ends with `normal`. */
  protected static readonly ignore = ignore

  /** The process this server runs in. */
  protected readonly self!: Process
  #from: From | undefined

  /** Runs first; whoever starts the server waits for it. */
  init(_args: A): unknown {
    return undefined
  }

  /** Takes everything that is neither call nor cast. */
  handleInfo(_message: unknown): unknown {
    return undefined
  }

  /** Takes a call that names no method. Answers like a method; refuses unless overridden. */
  handleCall(_request: unknown): unknown {
    const text = `${this.constructor.name} takes calls by method: use a reference from start() or Server.ref()`
    return this.refuse(new BeamlineError('NOT_FOUND', text))
  }

  /**
   * Runs before the server ends by {@link stop}, by a throw, or, when it traps exits, because its parent asked. Not on
   * `kill`, nor on an exit signal that is not trapped: what must be cleaned up whatever happens needs a link or monitor.
   */
  terminate(_reason: ExitReason): void | Promise<void> {}

  /** Who waits for the method that runs now; undefined in a cast. Take it before the first `await`. */
  protected get from(): From | undefined {
    return this.#from
  }

  /** Return this to end the server after {@link terminate} has run; the caller then gets `reply`. */
  protected stop(reason: ExitReason = 'normal', reply?: unknown): never {
    return new Stop(reason, reply) as never
  }

  /** Return this to reject the caller's promise without ending the server. */
  protected refuse(error: BeamlineError): never {
    const from = this.#from
    if (from !== undefined) this.self.replyError(from, error)
    return noReply as never
  }

  /** A typed reference to a running server for `owner`, from its pid or name. */
  static ref<S extends Server<never>>(
    owner: Process,
    to: import('./process.js').Destination,
    options = {},
  ): ServerRef<S> {
    return serverRef<S>(owner, owner.system.pidOf(to), options)
  }

  /** @internal The behaviour that runs a new server of `type`. */
  static async make(type: ServerClass, self: Process, args: unknown): Promise<Behaviour> {
    const server = new type() as Server<unknown>
    ;(server as unknown as { self: Process }).self = self
    const result = await server.init(args)
    if (result === ignore) throw new Exit('normal')
    if (result instanceof Stop) throw new Exit(result.reason)
    return new Running(server, self, (from) => {
      server.#from = from
    })
  }
}

class Running implements Behaviour {
  readonly #server: Server<unknown>
  readonly #self: Process
  readonly #setFrom: (from: From | undefined) => void
  #terminated = false

  constructor(server: Server<unknown>, self: Process, setFrom: (from: From | undefined) => void) {
    this.#server = server
    this.#self = self
    this.#setFrom = setFrom
  }

  handle(message: unknown): void | Promise<void> {
    const from = message instanceof Call ? message.from : undefined
    this.#setFrom(from)
    const result = this.#dispatch(message)
    return result instanceof Promise ? result.then((value) => this.#finish(from, value)) : this.#finish(from, result)
  }

  #dispatch(message: unknown): unknown {
    if (message instanceof Call)
      return isMethodCall(message.request) ? this.#invoke(message.request) : this.#server.handleCall(message.request)
    if (message instanceof Cast)
      return isMethodCall(message.request) ? this.#invoke(message.request) : this.#server.handleInfo(message.request)
    if (isExit(message) && this.#self.parent !== undefined && message.pid.equals(this.#self.parent))
      throw new Exit(message.reason)
    return this.#server.handleInfo(message)
  }

  #invoke({ method, args }: MethodCall): unknown {
    const found = (this.#server as unknown as Record<string, unknown>)[method]
    if (typeof found === 'function' && !(method in Server.prototype)) return found.apply(this.#server, args)
    const text = `${this.#server.constructor.name} has no public method '${method}'`
    return (this.#server as unknown as { refuse(error: BeamlineError): unknown }).refuse(
      new BeamlineError('NOT_FOUND', text),
    )
  }

  #finish(from: From | undefined, value: unknown): void | Promise<void> {
    if (value instanceof Stop) return this.#stop(from, value)
    if (from !== undefined && value !== noReply) this.#self.reply(from, value)
  }

  async #stop(from: From | undefined, { reason, reply }: Stop): Promise<void> {
    await this.terminate(reason)
    if (from !== undefined) this.#self.reply(from, reply)
    throw new Exit(reason)
  }

  async terminate(reason: ExitReason): Promise<void> {
    if (this.#terminated) return
    this.#terminated = true
    await this.#server.terminate(reason)
  }
}

function isMethodCall(request: unknown): request is MethodCall {
  return (
    typeof request === 'object' &&
    request !== null &&
    Array.isArray((request as MethodCall).args) &&
    'method' in request
  )
}

/** How a server class is found again on another thread. */
interface ServerSource {
  readonly module: string
  readonly export: string
  readonly args: unknown
}

/** The process of a server whose class is loaded by name. */
export const serverProcess = behaviour<ServerSource>(async (self, { module, export: name, args }) => {
  const exports = await importModule(module)
  const found =
    exports[name] ?? Object.values(exports).find((value) => typeof value === 'function' && value.name === name)
  if (typeof found === 'function' && found.prototype instanceof Server)
    return Server.make(found as ServerClass, self, args)
  throw new BeamlineError('BAD_ENTRY', `the module ${module} exports no Server class '${name}': export it`)
})

/** What to spawn to run a server of `type`: by name where its module is known, else as a closure. */
export function serverSpawn(
  type: ServerClass,
  args: unknown,
): { what: Entry | ReturnType<typeof behaviour>; args: unknown } {
  if (type.module === undefined) return { what: behaviour((self, given) => Server.make(type, self, given)), args }
  return {
    what: { module: import.meta.url, export: 'serverProcess' },
    args: { module: type.module, export: type.name, args },
  }
}
