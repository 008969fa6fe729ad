import { BeamlineError } from '../errors.js'
import { type Behaviour, behaviour } from './behaviour.js'
import type { Entry } from './entry.js'
import { Exit, type ExitReason } from './exit-reason.js'
import type { From } from './messages.js'
import { Process } from './process.js'
import { ignore, milliseconds, noReply, RunningServer, Stop, Wishes } from './running-server.js'
import { type ServerRef, serverRef } from './server-ref.js'
import { assignState, stateOf } from './server-state.js'

/** The class of a server, as `system.start` takes it. */
export interface ServerClass<S extends Server<never> = Server<never>> {
  new (): S
  /** `import.meta.url` of the class's module, so that it can run on any thread; without it, only on this one. */
  readonly module?: string
  readonly name: string
}

/** What a server's `init` takes. */
export type InitArgs<S extends Server<never>> = Parameters<S['init']>[0]

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
  readonly #wishes = new Wishes()

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

  /** Runs by {@link continueWith}: what is left to do, before any message that waits. */
  handleContinue(_arg: unknown): unknown {
    return undefined
  }

  /** Runs when {@link idleTimeout} is over and no message has come. */
  handleTimeout(): unknown {
    return undefined
  }

  /**
   * What `system.getState` tells: by default the server's own public fields, without `self`. One that keeps its state in
   * `#private` fields tells it here. Mirrors `:sys`' `system_get_state`.
   */
  systemGetState(): unknown {
    return stateOf(this)
  }

  /**
   * Takes the state that `system.replaceState` gives; by default it is assigned to the public fields.
   * @throws BeamlineError INVALID_TYPE for what is no state of this server; nothing has changed then
   */
  systemReplaceState(state: unknown): void {
    assignState(this, state)
  }

  /** Who waits for the method that runs now; undefined in a cast. Take it before the first `await`. */
  protected get from(): From | undefined {
    return this.#wishes.from
  }

  /** Return this to end the server after {@link terminate} has run; the caller then gets `reply`. */
  protected stop(reason: ExitReason = 'normal', reply?: unknown): never {
    return new Stop(reason, reply) as never
  }

  /**
   * Asks for {@link handleContinue} once the present handler is done and its caller answered; in `init`, once whoever
   * starts the server has been told. Several are run in order. Mirrors `{:continue, arg}`.
   */
  protected continueWith(arg?: unknown): void {
    this.#wishes.continuations.push(arg)
  }

  /**
   * Asks for one {@link handleTimeout} when no message comes within `ms` milliseconds after the present handler. Any
   * message cancels it for good, until it is asked for again. Mirrors the timeout in a callback's result.
   * @throws BeamlineError INVALID_TYPE for what is no number of milliseconds
   */
  protected idleTimeout(ms: number): void {
    this.#wishes.idle = milliseconds(ms)
  }

  /** Return this to reject the caller's promise without ending the server. */
  protected refuse(error: BeamlineError): never {
    const { from } = this.#wishes
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
    return new RunningServer(server, self, server.#wishes, Server.prototype)
  }
}

/** How a server class is found again on another thread. */
interface ServerSource {
  readonly module: string
  readonly export: string
  readonly args: unknown
}

/** The process of a server whose class is loaded by name. */
export const serverProcess = behaviour<ServerSource>(async (self, { module, export: name, args }) => {
  const exports = await Process.hostOf(self).load(module)
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
