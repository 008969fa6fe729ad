import { BeamlineError, shown } from '../errors.js'
import type { Behaviour } from './behaviour.js'
import { Exit, type ExitReason } from './exit-reason.js'
import { Idle, IdleTimer } from './idle-timer.js'
import { Call, Cast, type From, isExit } from './messages.js'
import type { Process } from './process.js'
import type { Server } from './server.js'
import { MethodCall } from './server-ref.js'

export const noReply = Symbol('noReply')
export const ignore = Symbol('ignore')

/** What a handler returns to end its server. */
export class Stop {
  readonly reason: ExitReason
  readonly reply: unknown

  constructor(reason: ExitReason, reply: unknown) {
    this.reason = reason
    this.reply = reply
  }
}

/** What passes between a server's methods and what runs them, beside arguments and results. */
export class Wishes {
  /** Who waits for the method that runs now. */
  from: From | undefined
  readonly continuations: unknown[] = []
  /** Milliseconds of silence after which it wants to be told. */
  idle: number | undefined
}

/** Runs a server's methods, one message at a time. */
export class RunningServer implements Behaviour {
  readonly #server: Server<unknown>
  readonly #self: Process
  readonly #wishes: Wishes
  readonly #reserved: object
  #idle: IdleTimer | undefined
  #terminated = false

  /** @param reserved what its methods are called by nobody */
  constructor(server: Server<unknown>, self: Process, wishes: Wishes, reserved: object) {
    this.#server = server
    this.#self = self
    this.#wishes = wishes
    this.#reserved = reserved
  }

  begin(): void | Promise<void> {
    return this.#rest()
  }

  handle(message: unknown): void | Promise<void> {
    const timedOut = this.#idle?.takes(message)
    if (message instanceof Idle && !timedOut) return
    const from = message instanceof Call ? message.from : undefined
    this.#wishes.from = from
    const result = timedOut ? this.#server.handleTimeout() : this.#dispatch(message)
    return result instanceof Promise ? result.then((value) => this.#finish(from, value)) : this.#finish(from, result)
  }

  #dispatch(message: unknown): unknown {
    if (message instanceof Call || message instanceof Cast) {
      const { request } = message
      if (request instanceof MethodCall || isMethodCall(request)) return this.#invoke(request)
      return message instanceof Call ? this.#server.handleCall(request) : this.#server.handleInfo(request)
    }
    if (isExit(message) && this.#self.parent !== undefined && message.pid.equals(this.#self.parent))
      throw new Exit(message.reason)
    return this.#server.handleInfo(message)
  }

  #invoke({ method, args }: Pick<MethodCall, 'method' | 'args'>): unknown {
    const found = (this.#server as unknown as Record<string, unknown>)[method]
    if (typeof found === 'function' && !(method in this.#reserved)) return found.apply(this.#server, args)
    const text = `${this.#server.constructor.name} has no public method '${method}'`
    const { from } = this.#wishes
    if (from !== undefined) this.#self.replyError(from, new BeamlineError('NOT_FOUND', text))
    return noReply
  }

  #finish(from: From | undefined, value: unknown): void | Promise<void> {
    if (value instanceof Stop) return this.#stop(from, value)
    if (from !== undefined && value !== noReply) this.#self.reply(from, value)
    return this.#rest()
  }

  /** What a handler asked for beside its answer, before the next message. */
  #rest(): void | Promise<void> {
    const { continuations, idle } = this.#wishes
    if (continuations.length > 0) return this.#continue()
    if (idle === undefined) return
    this.#wishes.idle = undefined
    this.#idle ??= new IdleTimer(this.#self)
    this.#idle.start(idle)
  }

  async #continue(): Promise<void> {
    this.#wishes.from = undefined
    return this.#finish(undefined, await this.#server.handleContinue(this.#wishes.continuations.shift()))
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

  systemGetState(): unknown {
    return this.#server.systemGetState()
  }

  systemReplaceState(state: unknown): void {
    this.#server.systemReplaceState(state)
  }
}

/** @throws BeamlineError INVALID_TYPE for what is no number of milliseconds */
export function milliseconds(ms: number): number {
  if (typeof ms === 'number' && ms >= 0) return ms
  throw new BeamlineError('INVALID_TYPE', `idleTimeout: ${shown(ms)} is no time to wait: give milliseconds, 0 or more`)
}

function isMethodCall(request: unknown): request is Pick<MethodCall, 'method' | 'args'> {
  return (
    typeof request === 'object' &&
    request !== null &&
    Array.isArray((request as MethodCall).args) &&
    'method' in request
  )
}
