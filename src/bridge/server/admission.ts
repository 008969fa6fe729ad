import type {
  Metadata,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import { refusalOf } from '../wire/status.js'
import type { Guard } from './guard.js'
import type { Limits } from './limits.js'
import type { BoundService, Rates } from './service-deps.js'

type Streaming = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>
type Handler = (call: never, callback?: sendUnaryData<unknown>) => void

/** What calls to a server have come to. */
export interface AdmissionStats {
  readonly calls: number
  readonly refused: number
  readonly streams: number
}

/** Lets calls in, before any service sees them: who calls, how often, and how many streams there are. */
export class Admission {
  readonly #guard: Guard
  readonly #rates: Rates
  readonly #limits: Limits
  readonly #streams = new Set<Streaming>()
  /** Of services that would go on for ever. */
  readonly #endless = new Set<Streaming>()
  #calls = 0
  #refused = 0

  constructor(guard: Guard, rates: Rates, limits: Limits) {
    this.#guard = guard
    this.#rates = rates
    this.#limits = limits
  }

  get stats(): AdmissionStats {
    return { calls: this.#calls, refused: this.#refused, streams: this.#streams.size }
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
      if (handler !== undefined)
        wrapped[name] = (
          method.responseStream ? this.#stream(handler, guard, isEndless) : this.#unary(handler, guard)
        ) as never
    }
    return wrapped
  }

  /** Ends the streams that would not end by themselves. */
  endEndless(): void {
    for (const call of this.#endless) call.end()
  }

  #unary(handler: Handler, guard: Guard) {
    return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      try {
        this.#admit(guard, call)
        handler(call as never, callback)
      } catch (error) {
        this.#refused++
        callback(refusalOf(error))
      }
    }
  }

  #stream(handler: Handler, guard: Guard, isEndless: boolean) {
    return (call: Streaming): void => {
      try {
        this.#admit(guard, call)
        this.#open(call, isEndless)
        handler(call as never)
      } catch (error) {
        this.#refused++
        // What it has sent is of no interest, and unread it would keep the call open.
        if ('resume' in call) call.resume()
        call.emit('error', refusalOf(error))
      }
    }
  }

  #admit(guard: Guard, call: { readonly metadata: Metadata; getPeer(): string }): void {
    this.#calls++
    guard.admit(call.metadata)
    this.#rates.of(call.metadata, call.getPeer()).take()
  }

  #open(call: Streaming, isEndless: boolean): void {
    const { maxStreams } = this.#limits
    if (this.#streams.size >= maxStreams) {
      const details = { limit: 'maxStreams', retryAfterMs: 1000 }
      throw new BeamlineError('EXHAUSTED', `this server has ${maxStreams} streams at most`, { details })
    }
    this.#streams.add(call)
    if (isEndless) this.#endless.add(call)
    const closed = () => {
      this.#streams.delete(call)
      this.#endless.delete(call)
    }
    for (const end of ['cancelled', 'finish', 'close', 'error']) call.once(end, closed)
  }
}
