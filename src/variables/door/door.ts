import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Behaviour, behaviour } from '../../actors/behaviour.js'
import { describe, Exit, type ExitReason } from '../../actors/exit-reason.js'
import { isDown } from '../../actors/messages.js'
import { ownerOf } from '../../actors/owner.js'
import { Process } from '../../actors/process.js'
import type { ActorSystem } from '../../actors/system.js'
import { BeamlineError, shown } from '../../errors.js'
import type { Payload } from '../../threads/payload.js'
import { Context } from '../context.js'
import type { Watch } from '../watch.js'
import type { WatchCallback } from '../watch-options.js'
import { connect, type DoorNews, type DoorRequest, type Inside, methods, type Outside, opened, sealed } from './wire.js'

export interface DoorOptions {
  /** Closes the door when it aborts. */
  readonly signal?: AbortSignal
}

/**
 * Opens a door for a worker thread that the system did not start, such as a web framework's own: the port is to be
 * transferred to it, and `remote(port)` of `beamline/remote` makes of it what the worker uses contexts by. A door is a
 * process of the calling thread: it owns the watches that come through it. It closes, and they are gone, when the
 * foreign thread ends or closes its port, when `by` exits, and when the system stops.
 * @throws BeamlineError INVALID_TYPE for a signal that is none, STOPPED
 */
export async function openDoor(by: ActorSystem | Process, { signal }: DoorOptions = {}): Promise<MessagePort> {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new BeamlineError('INVALID_TYPE', `openDoor: signal is ${shown(signal)}: give an AbortSignal`)
  signal?.throwIfAborted()
  const { port1, port2 } = new MessageChannel()
  const owner = ownerOf(by)
  try {
    const door = behaviour<undefined>((self) => new Door(self, port1, by instanceof Process ? owner : undefined))
    const pid = await owner.spawn(door, undefined, { label: 'Door' })
    const abort = () => owner.exit(pid, 'shutdown')
    signal?.addEventListener('abort', abort, { once: true })
    port1.once('close', () => signal?.removeEventListener('abort', abort))
    if (signal?.aborted) abort()
    return port2
  } catch (error) {
    port1.close()
    throw error
  }
}

/** The system's side of a door: does what the foreign thread asks, as a process of the system. */
class Door implements Behaviour {
  readonly #self: Process
  readonly #port: MessagePort
  readonly #outside: ReturnType<typeof connect<Inside, Outside>>
  /** By the foreign thread's numbers. */
  readonly #watches = new Map<number, Promise<Watch>>()

  constructor(self: Process, port: MessagePort, owner: Process | undefined) {
    this.#self = self
    this.#port = port
    this.#outside = connect<Inside, Outside>(port, { ask: (request) => this.#ask(request) })
    // A door that nobody uses keeps no program alive.
    port.unref()
    port.once('close', () => self.exit(self.pid, 'normal'))
    self.signal.addEventListener('abort', () => this.#close(self.signal.reason as ExitReason))
    if (owner !== undefined) self.monitor(owner.pid)
  }

  handle(message: unknown): void {
    if (isDown(message)) throw new Exit('shutdown')
  }

  /** The foreign thread's calls are rejected with what it is told last; it needs no answer to each. */
  #close(reason: ExitReason): void {
    const ended = new BeamlineError('UNAVAILABLE', `the door is closed, as its process exited: ${describe(reason)}`)
    this.#tell({ kind: 'closed', error: this.#unlessStopped(ended) })
    this.#port.close()
  }

  /** While the system stops, that is the reason for whatever fails. */
  #unlessStopped(error: unknown): unknown {
    if (!Process.hostOf(this.#self).stopping) return error
    return new BeamlineError('STOPPED', 'the door is closed, as the system has been stopped')
  }

  #tell(news: DoorNews): void {
    void this.#outside.tell(sealed(news))
  }

  async #ask(request: Payload): Promise<Payload> {
    try {
      return sealed({ value: await this.#serve(opened(request) as DoorRequest) })
    } catch (error) {
      return sealed({ error: this.#unlessStopped(error) })
    }
  }

  async #serve(request: DoorRequest): Promise<unknown> {
    switch (request.kind) {
      case 'context': {
        const { pid, id } = Context.attach(this.#self, request.to)
        return { pid, id }
      }
      case 'ask':
        if (!methods.includes(request.method)) throw notAsked(request)
        return (this.#context(request)[request.method] as (...args: readonly unknown[]) => unknown)(...request.args)
      case 'define': {
        const context = this.#context(request)
        const { name } = await context.define(...(request.args as Parameters<Context['define']>))
        return context.describe(name)
      }
      case 'put':
        return this.#context(request).put(...(request.args as Parameters<Context['put']>))
      case 'watch':
        return this.#watch(request)
      case 'unwatch':
        return this.#unwatch(request.watch)
      default:
        throw notAsked(request)
    }
  }

  /** How long an answer may take is for the foreign side to say. */
  #context({ context }: DoorRequest & { context: Context['pid'] }): Context {
    return Context.attach(this.#self, context, { timeout: Number.POSITIVE_INFINITY })
  }

  async #watch(request: DoorRequest & { kind: 'watch' }): Promise<void> {
    const { watch: key, names, options } = request
    const callback: WatchCallback = (name, previous, value, meta) =>
      this.#tell({ kind: 'changed', watch: key, change: { id: name, name, previous, value, meta } })
    const ended = (error: unknown) => {
      if (this.#watches.delete(key)) this.#tell({ kind: 'ended', watch: key, error })
    }
    const begun = this.#context(request).watch(names, callback, { ...options, onError: ended })
    this.#watches.set(key, begun)
    try {
      const watch = await begun
      watch.onEnd(ended)
    } catch (error) {
      this.#watches.delete(key)
      throw error
    }
  }

  async #unwatch(key: number): Promise<void> {
    const begun = this.#watches.get(key)
    this.#watches.delete(key)
    const watch = await begun?.catch(() => undefined)
    await watch?.stop()
  }
}

function notAsked(request: unknown): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `a door is not asked ${shown(request)}: use remote(port)`)
}
