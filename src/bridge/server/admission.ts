import {
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import { type Refusal, refusalOf } from '../wire/status.js'
import type { Guard } from './guard.js'
import type { Limits } from './limits.js'
import type { BoundService, Rates } from './service-deps.js'
import { openGuard } from './token-guard.js'

/** Streams at once of services that would go on for ever: room for those who look after servers. */
const MOST_ENDLESS = 64

type Streaming = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>
type Handler = (call: never, callback?: sendUnaryData<unknown>) => void

/** What calls to a server have come to. */
export interface AdmissionStats {
  readonly calls: number
  readonly refused: number
  readonly streams: number
}

const notHere: Refusal = {
  code: status.UNIMPLEMENTED,
  details: 'this server does not do that',
  metadata: new Metadata(),
}
const cutOff: Refusal = { code: status.UNAVAILABLE, details: 'this server has ended', metadata: new Metadata() }
const missing: Handler = (_call, callback) => callback?.(notHere)
const missingStream: Handler = (call: Streaming) => refuse(call, notHere)

function refuse(call: Streaming, refusal: Refusal): void {
  // What it has sent is of no interest, and unread it would keep the call open.
  if ('resume' in call) call.resume()
  call.emit('error', refusal)
}

/** Lets calls in, before any service sees them: who calls, how often, and how many streams there are. */
export class Admission {
  readonly #guard: Guard
  readonly #rates: Rates
  readonly #limits: Limits
  readonly #streams = new Set<Streaming>()
  /** Of services that would go on for ever. Who needs no token for them must not take the place of the others. */
  readonly #endless = new Set<Streaming>()
  /** What cuts off each call that has not been answered, the streams among them. */
  readonly #open = new Map<object, () => void>()
  #isDraining = false
  /** Hears when the last call has ended. */
  #idle = () => {}
  #calls = 0
  #refused = 0

  constructor(guard: Guard, rates: Rates, limits: Limits) {
    this.#guard = guard
    this.#rates = rates
    this.#limits = limits
  }

  get stats(): AdmissionStats {
    return { calls: this.#calls, refused: this.#refused, streams: this.#streams.size + this.#endless.size }
  }

  /** The service as the server is to know it. @param about a service of others, which does not know when to end */
  wrap(
    { definition, implementation }: BoundService,
    about: { readonly guard?: Guard; readonly isEndless?: boolean } = {},
  ): UntypedServiceImplementation {
    const { guard = this.#guard, isEndless = false } = about
    const wrapped: Record<string, UntypedHandleCall> = {}
    for (const [name, method] of Object.entries(definition)) {
      const handler = (implementation[name] ?? implementation[method.originalName ?? '']) as Handler | undefined
      // Who may not come in is told of that, and not of what there is.
      const found = handler ?? (method.responseStream ? missingStream : missing)
      wrapped[name] = (
        method.responseStream ? this.#stream(found, guard, isEndless) : this.#unary(found, guard)
      ) as never
    }
    return wrapped
  }

  /** Lets nobody in any more, and resolves once the last call has ended. */
  drain(): Promise<void> {
    this.#isDraining = true
    for (const call of this.#endless) call.end()
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle = resolve
    })
  }

  /** Answers for whoever still works at a call. */
  cut(): void {
    for (const cut of [...this.#open.values()]) cut()
  }

  #unary(handler: Handler, guard: Guard) {
    return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      try {
        this.#admit(guard, call)
      } catch (error) {
        this.#refused++
        return callback(refusalOf(error))
      }
      const done: sendUnaryData<unknown> = (...answer) => {
        if (!this.#open.has(call)) return
        callback(...answer)
        this.#closed(call)
      }
      this.#open.set(call, () => done(cutOff))
      call.once('cancelled', () => this.#closed(call))
      try {
        handler(call as never, done)
      } catch (error) {
        done(refusalOf(error))
      }
    }
  }

  #stream(handler: Handler, guard: Guard, isEndless: boolean) {
    return (call: Streaming): void => {
      try {
        this.#admit(guard, call)
        this.#enter(call, isEndless)
        handler(call as never)
      } catch (error) {
        this.#refused++
        refuse(call, refusalOf(error))
      }
    }
  }

  #admit(guard: Guard, call: { readonly metadata: Metadata; getPeer(): string }): void {
    this.#calls++
    if (this.#isDraining) throw new BeamlineError('UNAVAILABLE', 'this server is about to end: try again, or another')
    guard.admit(call.metadata)
    // Where nobody looks at tokens anybody could say another with each call.
    const said = guard === openGuard ? undefined : call.metadata
    this.#rates.of(said, call.getPeer()).take()
  }

  #enter(call: Streaming, isEndless: boolean): void {
    const [streams, most] = isEndless ? [this.#endless, MOST_ENDLESS] : [this.#streams, this.#limits.maxStreams]
    if (streams.size >= most) {
      const details = { limit: isEndless ? 'endless streams' : 'maxStreams', retryAfterMs: 1000 }
      throw new BeamlineError('EXHAUSTED', `this server has ${most} streams of this kind at most`, { details })
    }
    streams.add(call)
    this.#open.set(call, () => refuse(call, cutOff))
    const closed = () => {
      streams.delete(call)
      this.#closed(call)
    }
    for (const end of ['cancelled', 'finish', 'close', 'error']) call.once(end, closed)
  }

  #closed(call: object): void {
    if (this.#open.delete(call) && this.#open.size === 0) this.#idle()
  }
}
