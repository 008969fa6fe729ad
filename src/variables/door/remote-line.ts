import { MessagePort } from 'node:worker_threads'
import { BeamlineError, shown } from '../../errors.js'
import { realClock, type Timer } from '../../threads/clock.js'
import type { Payload } from '../../threads/payload.js'
import type { Change } from '../change.js'
import {
  connect,
  type DoorNews,
  type DoorRequest,
  type Inside,
  type Outcome,
  type Outside,
  opened,
  sealed,
} from './wire.js'

export interface RemoteOptions {
  /** Ends the pending calls, which are rejected with its reason, and closes the port when it aborts. */
  readonly signal?: AbortSignal
  /** Milliseconds that a call may take, 5000 unless told; `Infinity` waits for ever. */
  readonly timeout?: number
}

/** Who hears of a watch's changes. */
export interface Heard {
  changed(change: Change): void
  /** Nothing more comes; without an error, as all variables are gone. */
  ended(error: unknown): void
  /** This thread has closed the line: no callback starts any more. */
  closed(): void
}

interface Pending {
  reject(error: unknown): void
  readonly timer: Timer | undefined
}

/** The foreign thread's end of a door's port. Its calls never hang: they end with the port, whoever closes it. */
export class RemoteLine {
  readonly #port: MessagePort
  /** Held as long as the port is open, by the port's own listener. */
  readonly #inside: ReturnType<typeof connect<Outside, Inside>>
  readonly #timeout: number
  readonly #signal: AbortSignal | undefined
  readonly #pending = new Set<Pending>()
  readonly #watches = new Map<number, Heard>()
  readonly #abort = () => this.#end(this.#signal?.reason, 'here')
  #lastWatch = 0
  #over: { readonly error: unknown } | undefined

  constructor(port: MessagePort, { signal, timeout = 5000 }: RemoteOptions) {
    if (!(port instanceof MessagePort)) throw bad('port', port, 'give the MessagePort that openDoor() made')
    if (!(typeof timeout === 'number' && timeout >= 0)) throw bad('timeout', timeout, 'give milliseconds, 0 or more')
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw bad('signal', signal, 'give an AbortSignal')
    signal?.throwIfAborted()
    this.#port = port
    this.#timeout = timeout
    this.#signal = signal
    this.#inside = connect<Outside, Inside>(port, { tell: (news) => this.#told(opened(news) as DoorNews) })
    port.once('close', () => {
      const text = 'the door is closed: the thread of the system that opened it has ended, or closed its port'
      this.#end(new BeamlineError('UNAVAILABLE', text), 'there')
    })
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#keepAlive()
  }

  /** @throws BeamlineError what the system's side answers; CALL_TIMEOUT, UNAVAILABLE, STOPPED, NOT_CLONEABLE */
  async ask(request: DoorRequest): Promise<unknown> {
    this.#assertOpen()
    const payload = sealed(request)
    const outcome = (await this.#within(this.#inside.ask(payload), request.kind)) as Outcome
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  /** Asks without caring for the answer. */
  tell(request: DoorRequest): void {
    this.#assertOpen()
    void this.#inside.ask(sealed(request))
  }

  #within(answer: Promise<Payload>, what: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#settled(pending)
        const text = `${what} was not answered within ${this.#timeout} ms: raise timeout, or see what the system is busy with`
        reject(new BeamlineError('CALL_TIMEOUT', text, { details: { timeout: this.#timeout } }))
      }
      const timer = this.#timeout === Number.POSITIVE_INFINITY ? undefined : realClock.setTimeout(late, this.#timeout)
      const pending: Pending = { reject, timer }
      this.#pending.add(pending)
      this.#keepAlive()
      answer.then((payload) => {
        this.#settled(pending)
        resolve(opened(payload))
      }, reject)
    })
  }

  #settled(pending: Pending): void {
    if (pending.timer !== undefined) realClock.clearTimeout(pending.timer)
    this.#pending.delete(pending)
    this.#keepAlive()
  }

  /** The number of a new watch. */
  listen(heard: Heard): number {
    const key = ++this.#lastWatch
    this.#watches.set(key, heard)
    this.#keepAlive()
    return key
  }

  forget(key: number): void {
    this.#watches.delete(key)
    this.#keepAlive()
  }

  #told(news: DoorNews): void {
    if (news.kind === 'closed') return this.#end(news.error, 'there')
    const heard = this.#watches.get(news.watch)
    if (news.kind === 'changed') return heard?.changed(news.change)
    this.forget(news.watch)
    heard?.ended(news.error)
  }

  /** What waits or watches keeps the thread alive; a line by itself does not. */
  #keepAlive(): void {
    if (this.#pending.size + this.#watches.size > 0) this.#port.ref()
    else this.#port.unref()
  }

  close(): void {
    this.#end(new BeamlineError('STOPPED', 'the remote has been closed: open another door'), 'here')
  }

  get isOpen(): boolean {
    return this.#over === undefined
  }

  /** Ends all that waits or watches; where the other side has closed the door, watches hear of it as of an error. */
  #end(error: unknown, by: 'here' | 'there'): void {
    if (this.#over !== undefined) return
    this.#over = { error }
    this.#signal?.removeEventListener('abort', this.#abort)
    for (const pending of [...this.#pending]) {
      this.#settled(pending)
      pending.reject(error)
    }
    const watches = [...this.#watches.values()]
    this.#watches.clear()
    this.#port.close()
    for (const watch of watches) {
      if (by === 'here') watch.closed()
      else watch.ended(error)
    }
  }

  #assertOpen(): void {
    if (this.#over !== undefined) throw this.#over.error
  }
}

function bad(what: string, value: unknown, right: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `remote: ${what} is ${shown(value)}: ${right}`)
}
