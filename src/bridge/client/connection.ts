import type { Client } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import type { Clock, Timer } from '../../threads/clock.js'
import type { ServerItem, Welcome } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { callMetadata, LARGEST_FRAME, openChannel } from './channel.js'
import { encoded } from './items.js'
import { Liveness } from './liveness.js'
import type { BridgeState } from './messages.js'
import type { BridgeArgs } from './options.js'
import { Reconnect } from './reconnect.js'
import { type Ending, lost } from './status.js'
import { Stream } from './stream.js'

const PROTOCOL = 1
/** The least milliseconds that a server has to answer on a new stream. */
const SHORTEST = 1000
/** Milliseconds beyond what the server asks for in which it may end a stream that it has called off. */
const GRACE = 1000

export interface ConnectionEvents {
  /** The server has answered on a new stream, on which nothing else has been said yet. */
  welcome(welcome: Welcome): void
  /** Calls `work`, which tells of the items of one frame. */
  reading(work: () => void): void
  item(item: NonNullable<ServerItem['kind']>): void
  /** All items of a frame have been told. */
  settled(): void
  /** Not a fault of the connection, which goes on until all is answered: no more is to be sent on it. */
  leaving(): void
  /** What was ready is so no more, as {@link state} has told; it may be so again. */
  lost(): void
  state(state: BridgeState, error: BeamlineError | undefined): void
  /** Every command up to this one has been answered. */
  repliesSeen(): number
}

/** The stream to the server, and after its end the next one, for ever; unless the server refuses the client for good. */
export class Connection {
  readonly #args: BridgeArgs
  readonly #instance: string
  readonly #clock: Clock
  readonly #events: ConnectionEvents
  readonly #reconnect: Reconnect
  #state: BridgeState = 'connecting'
  #stream: Stream | undefined
  #liveness: Liveness | undefined
  /** Until the next attempt, or the end of this one. */
  #timer: Timer | undefined
  #asked = 0
  #nonce = 0
  #proof = 0
  welcome: Welcome | undefined
  reconnects = 0
  gaps = 0
  frames = 0

  constructor(args: BridgeArgs, instance: string, clock: Clock, events: ConnectionEvents) {
    this.#args = args
    this.#instance = instance
    this.#clock = clock
    this.#events = events
    this.#reconnect = new Reconnect(args.backoff)
  }

  get state(): BridgeState {
    return this.#state
  }

  /** Milliseconds since 1970 of the server's last proof of life; 0 before the first. */
  get proof(): number {
    return this.#liveness?.proof ?? this.#proof
  }

  send(item: Uint8Array): void {
    this.#stream?.send(item)
  }

  start(): void {
    this.#open(this.#args.timeout)
  }

  /** Gives up the stream, as it has shown a fault, and connects again. */
  drop(ending: Ending): void {
    const stream = this.#stream
    if (stream === undefined) return
    stream.cancel()
    this.#ended(ending)
  }

  /** What was said before still reaches the server, if it can. */
  close(error: BeamlineError): void {
    if (this.#state === 'closed') return
    const stream = this.#stream
    this.#forget()
    stream?.finish()
    this.#become('closed', error)
  }

  #open(timeout: number): void {
    let client: Client
    try {
      client = openChannel(this.#args)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      const text = `no connection to ${this.#args.address} can be made: ${why}: give other keys or certificates`
      return this.#become('closed', new BeamlineError('INVALID_TYPE', text))
    }
    const stream = new Stream(client, callMetadata(this.#args), this.#args.address, {
      frame: (items) => this.#events.reading(() => this.#frame(items)),
      ended: (ending) => this.#ended(ending),
    })
    this.#stream = stream
    this.#timer = this.#clock.setTimeout(() => {
      const text = `the server at ${this.#args.address} has not answered within ${timeout} ms: see whether it runs`
      this.drop(lost('UNAVAILABLE', text))
    }, timeout)
    const hello = {
      protocol: PROTOCOL,
      clientId: this.#args.clientId,
      clientInstance: this.#instance,
      heartbeatMs: this.#args.heartbeat,
      maxFrameBytes: LARGEST_FRAME,
      repliesSeen: this.#events.repliesSeen(),
    }
    stream.send(encoded({ $case: 'hello', value: hello }))
  }

  #frame(items: readonly ServerItem[]): void {
    if (this.#state === 'closed') return
    const stream = this.#stream
    this.frames++
    this.#liveness?.heard()
    for (const { kind } of items) {
      if (kind !== undefined) this.#take(kind)
      // One of them may have shown a fault.
      if (this.#stream !== stream) break
    }
    this.#events.settled()
  }

  #take(item: NonNullable<ServerItem['kind']>): void {
    if (this.#liveness === undefined) return this.#welcomed(item)
    switch (item.$case) {
      case 'pong':
      case 'welcome':
        return
      case 'goAway': {
        const { graceMs, retryAfterMs } = item.value
        this.#asked = retryAfterMs
        this.#events.leaving()
        this.#clearTimer()
        const text = `the server at ${this.#args.address} is going away`
        this.#timer = this.#clock.setTimeout(() => this.drop(lost('UNAVAILABLE', text)), graceMs + GRACE)
        return
      }
      default:
        this.#events.item(item)
    }
  }

  #welcomed(item: NonNullable<ServerItem['kind']>): void {
    const { address } = this.#args
    if (item.$case === 'goAway') {
      this.#asked = item.value.retryAfterMs
      return this.drop(lost('UNAVAILABLE', `the server at ${address} is going away`, item.value.reason))
    }
    if (item.$case !== 'welcome') return this.drop(lost('UNAVAILABLE', `the server at ${address} gave no welcome`))
    const { protocol } = item.value
    if (protocol !== PROTOCOL) {
      const text = `the server at ${address} speaks protocol ${protocol}, not ${PROTOCOL}: use the same version at both ends`
      return this.drop({ error: new BeamlineError('UNAVAILABLE', text), permanent: true })
    }
    this.#clearTimer()
    this.#stream?.limit(item.value.maxFrameBytes)
    if (this.welcome !== undefined) this.reconnects++
    this.welcome = item.value
    this.#reconnect.connected(this.#clock.now())
    this.#liveness = new Liveness({
      clock: this.#clock,
      beat: this.#args.heartbeat,
      afterInput: (then) => setImmediate(() => setImmediate(then)),
      ping: () => this.send(encoded({ $case: 'ping', value: { nonce: ++this.#nonce } })),
      dead: () => this.drop(lost('UNAVAILABLE', `the server at ${address} gave no sign of life for three heartbeats`)),
    })
    this.#become('ready', undefined)
    this.#events.welcome(item.value)
  }

  #ended({ error, permanent, gap }: Ending): void {
    if (this.#state === 'closed') return this.#forget()
    const wasReady = this.#state === 'ready'
    if (gap) this.gaps++
    this.#forget()
    if (permanent) return this.#become('closed', error)
    this.#become(this.welcome === undefined ? 'connecting' : 'reconnecting', error)
    if (wasReady) this.#events.lost()
    const wait = this.#reconnect.next(this.#clock.now(), this.#asked)
    this.#asked = 0
    this.#timer = this.#clock.setTimeout(() => {
      // As it is while nothing comes: no longer than it would take to find it dead.
      this.#open(Math.min(this.#args.timeout, Math.max(SHORTEST, 3 * this.#args.heartbeat)))
    }, wait)
  }

  #forget(): void {
    this.#proof = this.proof
    this.#clearTimer()
    this.#liveness?.stop()
    this.#liveness = undefined
    this.#stream = undefined
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #become(state: BridgeState, error: BeamlineError | undefined): void {
    if (this.#state === 'closed') return
    this.#state = state
    this.#events.state(state, error)
  }
}
