import { copy } from '../threads/payload.js'
import type { Pid } from '../threads/pid.js'
import { isPrimitive } from '../threads/tree-copier.js'
import type { ExitReason } from './exit-reason.js'
import type { CallOptions, Process } from './process.js'
import type { Server } from './server.js'

/** A call or cast of a server's method. Its list of arguments is nobody else's, and never changed. */
export class MethodCall {
  readonly method: string
  readonly args: unknown[]

  constructor(method: string, args: unknown[]) {
    this.method = method
    this.args = args
  }

  /** The form in which it leaves its thread. */
  get plain(): { readonly method: string; readonly args: unknown[] } {
    return { method: this.method, args: this.args }
  }

  /** As a message that stays on its thread: one whose arguments nobody can change is its own copy. */
  copied(): MethodCall {
    for (const arg of this.args) {
      if (isPrimitive(arg)) continue
      return new MethodCall(this.method, copy(this.args, undefined, 'args') as unknown[])
    }
    return this
  }
}

type Methods<S> = {
  [K in Exclude<keyof S, keyof Server<never>>]: S[K] extends (...args: never[]) => unknown ? K : never
}[Exclude<keyof S, keyof Server<never>>]

type Ask<F> = F extends (...args: infer P) => infer R ? (...args: P) => Promise<Awaited<R>> : never
type Tell<F> = F extends (...args: infer P) => unknown ? (...args: P) => void : never

/**
 * A running server, typed from its class: every public method is a call that resolves to what the method returns, and
 * rejects with NOPROC or CALL_TIMEOUT; `cast` has the same methods without an answer.
 */
export type ServerRef<S> = { readonly [K in Methods<S>]: Ask<S[K]> } & {
  readonly cast: { readonly [K in Methods<S>]: Tell<S[K]> }
  readonly pid: Pid
  /** As {@link Process.stop}: asks the server to end, and resolves once it is dead. */
  readonly stop: (reason?: ExitReason, options?: CallOptions) => Promise<void>
}

/** A reference for `owner`, which makes the calls. `timeout` in `options` holds for each of them. */
export function serverRef<S>(owner: Process, pid: Pid, options: CallOptions = {}): ServerRef<S> {
  const cast = methods((method, args) => owner.cast(pid, new MethodCall(method, args)))
  const call = (method: string, args: unknown[]) => owner.call(pid, new MethodCall(method, args), options)
  const stop = (reason?: ExitReason, patience?: CallOptions) => owner.stop(pid, reason, patience)
  return Object.assign(methods(call), { pid, cast, stop }) as ServerRef<S>
}

/** An object with every method: each is made when it is first asked for, and an ordinary property from then on. */
function methods(send: (method: string, args: unknown[]) => unknown): object {
  const unknown = new Proxy(Object.prototype, {
    get(target, key, receiver) {
      if (typeof key !== 'string' || key in target) return Reflect.get(target, key, receiver)
      // A reference is no promise: `await reference` must not ask the server for a method `then`.
      if (key === 'then' || key === 'toJSON') return undefined
      const method = (...args: unknown[]) => send(key, args)
      Object.defineProperty(receiver, key, { value: method, enumerable: true })
      return method
    },
  })
  return Object.create(unknown)
}
