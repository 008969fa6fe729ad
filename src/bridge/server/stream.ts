import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import type { Clock } from '../../threads/clock.js'
import type { ClientFrame, ClientItem, Hello } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { refusalOf } from '../wire/status.js'
import type { ClientMemories } from './client-memories.js'
import type { ClientMemory } from './client-memory.js'
import type { Commands } from './commands.js'
import type { Caller } from './guard.js'
import type { Mirrors } from './mirrors.js'
import type { ServiceDeps } from './service-deps.js'
import { StreamCommands } from './stream-commands.js'
import { itemOf } from './stream-frame.js'
import { Load } from './stream-load.js'
import { Pulse } from './stream-pulse.js'
import type { SnapshotTurns } from './stream-snapshots.js'
import { StreamWatches } from './stream-watches.js'
import { StreamWriter } from './stream-writer.js'

/** What comes from a client: a frame, or bytes that are none. */
export type Incoming = ClientFrame | 'malformed'

export type StreamCall = ServerDuplexStream<Incoming, Uint8Array>

/** What all streams of a server share. */
export interface StreamShared {
  readonly deps: ServiceDeps
  readonly mirrors: Mirrors
  readonly clients: ClientMemories
  readonly commands: Commands
  readonly turns: SnapshotTurns
  readonly clock: Clock
  closed(stream: Stream): void
}

const PROTOCOL = 1
const SMALLEST_FRAME = 1024
/** What gRPC and the head of a frame take of the largest message. */
const FRAME_MARGIN = 256
/** Bytes of what a client calls itself, and of what it calls its instance, at most. */
const LONGEST_ID = 1024

/** One client's stream: what it asks for in the order in which it does, and its watches. */
export class Stream {
  readonly #shared: StreamShared
  readonly #call: StreamCall
  readonly #caller: Caller
  readonly #writer: StreamWriter
  readonly #commands: StreamCommands
  readonly #watches: StreamWatches
  readonly #load: Load
  readonly #pulse: Pulse
  #memory: ClientMemory | undefined
  /** The client says no more: it is answered, and then it ends. */
  #isHalfClosed = false
  /** How far each session has to be told before the stream may end, once the server drains. */
  #goals: ReadonlyMap<string, number> | undefined
  #isFenced = false
  #hasReported = false
  #isClosed = false

  /** @throws BeamlineError UNAUTHENTICATED */
  constructor(shared: StreamShared, call: StreamCall) {
    const { deps, mirrors, turns, clock } = shared
    this.#shared = shared
    this.#call = call
    const caller = deps.guard.admit(call.metadata)
    const bucket = deps.rates.of(call.metadata, call.getPeer())
    this.#caller = caller
    const writer = new StreamWriter(
      {
        write: (frame, written) => void call.write(frame, written),
        written: () => this.#written(),
        overrun: () => this.#fail(new BeamlineError('EXHAUSTED', 'the client does not read what it asks for')),
        tooLarge: (watch, bytes, hard) => this.#watches.tooLarge(watch, bytes, hard),
        now: () => clock.now(),
      },
      deps.limits.maxMessageBytes - FRAME_MARGIN,
    )
    this.#writer = writer
    const load = new Load(
      call,
      () => writer.heldReplies,
      () => this.#pulse.heard(),
    )
    this.#load = load
    const { commands } = shared
    const isDraining = () => this.#goals !== undefined
    this.#commands = new StreamCommands({ deps, mirrors, commands, clock, caller, bucket, writer, load, isDraining })
    const line = (session: string) => this.#commands.line(session)
    const host = { writer, caller, bucket, load, limits: deps.limits, mirrors, line }
    this.#watches = new StreamWatches(host, { clock, turns })
    this.#listen()
    this.#pulse = new Pulse(clock, deps.heartbeatMs, {
      get isPaused() {
        return load.isPaused
      },
      get writingSince() {
        return writer.writingSince
      },
      beat: () => this.#beat(),
      silent: (error) => this.#fail(error),
    })
  }

  get watches(): number {
    return this.#watches.size
  }

  #listen(): void {
    const call = this.#call
    call.on('data', (frame: Incoming) => this.#take(frame))
    call.on('end', () => {
      this.#isHalfClosed = true
      this.#written()
    })
    for (const over of ['cancelled', 'close', 'error']) call.on(over, () => this.#close())
  }

  #take(frame: Incoming): void {
    if (this.#isClosed) return
    this.#pulse.heard()
    try {
      if (frame === 'malformed') throw malformed('a frame cannot be read')
      for (const item of frame.items) this.#item(item.kind)
    } catch (error) {
      this.#fail(error)
    }
  }

  #item(kind: ClientItem['kind']): void {
    const memory = this.#memory
    if (memory === undefined) {
      if (kind?.$case !== 'hello') throw malformed('the first item must be a hello')
      return this.#hello(kind.value)
    }
    switch (kind?.$case) {
      case 'command':
        return this.#commands.take(memory, kind.value)
      case 'ack':
        for (const { watchId, credit } of kind.value.watches) this.#watches.get(watchId)?.acknowledge(credit)
        return memory.acknowledge(kind.value.repliesSeen)
      case 'create':
        if (kind.value.watchId === 0) throw malformed('watch_id is 0: give a number of its own to each watch')
        return this.#watches.create(kind.value)
      case 'cancel':
        return this.#watches.cancel(kind.value.watchId)
      case 'progress':
        return this.#watches.progress(kind.value.watchId, kind.value.atLeast)
      case 'ping':
        return this.#writer.control(itemOf({ $case: 'pong', value: { nonce: kind.value.nonce } }))
      case 'hello':
        throw malformed('a stream has one hello')
      default:
        throw malformed('an item is of no kind that is known here')
    }
  }

  #hello({ protocol, clientId, clientInstance, heartbeatMs, maxFrameBytes, repliesSeen }: Hello): void {
    const { deps, clients } = this.#shared
    if (protocol !== PROTOCOL) throw malformed(`protocol ${protocol} is not spoken here: ${PROTOCOL} is`)
    if (maxFrameBytes > 0 && maxFrameBytes < SMALLEST_FRAME)
      throw malformed(`max_frame_bytes is ${maxFrameBytes}: give ${SMALLEST_FRAME} or more`)
    if (maxFrameBytes > 0) this.#writer.limit(maxFrameBytes)
    for (const id of [clientId, clientInstance])
      if (Buffer.byteLength(id) > LONGEST_ID)
        throw malformed(`a client_id or client_instance has ${LONGEST_ID} bytes at most`)
    if (heartbeatMs > 0) this.#pulse.every(heartbeatMs)
    const memory = clients.of(this.#caller.key, clientId, clientInstance)
    this.#memory = memory
    this.#commands.memory = memory
    memory.stream = this
    memory.acknowledge(repliesSeen)
    const { maxWatches, maxCredit } = deps.limits
    const welcome = {
      protocol: PROTOCOL,
      serverId: deps.serverId,
      heartbeatMs: this.#pulse.ms,
      maxFrameBytes: this.#writer.hard,
      maxWatches: Math.min(maxWatches, 2 ** 32 - 1),
      maxCredit: Math.min(maxCredit, 2 ** 32 - 1),
    }
    this.#writer.control(itemOf({ $case: 'welcome', value: welcome }))
  }

  /** A newer stream of the same client has taken the place of this one. */
  replaced(): void {
    this.#fail(
      new BeamlineError('VERSION_CONFLICT', 'a newer stream of the same client has taken the place of this one'),
    )
  }

  #beat(): void {
    const lines = this.#memory?.lines
    for (const line of lines?.values() ?? []) if (line.open === undefined && line.isIdle) lines?.delete(line.id)
    this.#watches.beat(this.#pulse.patience)
  }

  /** All that is committed is told, then the stream ends. */
  async drain(graceMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#goals = new Map()
    const value = { reason: 'the server is about to end', graceMs: Math.min(graceMs, 2 ** 32 - 1), retryAfterMs: 0 }
    this.#writer.control(itemOf({ $case: 'goAway', value }))
    const open = [...(this.#memory?.lines.values() ?? [])].flatMap((line) => line.open ?? [])
    const { mirrors } = this.#shared
    await Promise.allSettled(open.map(({ session }) => mirrors.fence(session)))
    this.#goals = new Map(open.map(({ mirror }) => [mirror.id, mirror.head]))
    this.#isFenced = true
    this.#written()
  }

  /** Looks whether the stream has come to its end, once it has nothing more to say. */
  #written(): void {
    if (this.#isClosed) return
    this.#load.pace()
    if (!this.#isHalfClosed && !this.#isFenced) return
    if (!this.#load.isNone) return
    if (!this.#isHalfClosed && ![...this.#watches].every((watch) => this.#isTold(watch.mirror.id, watch.reach))) return
    if (!this.#hasReported && !this.#isHalfClosed) {
      this.#hasReported = true
      for (const watch of this.#watches) this.#writer.report(watch)
    }
    if (this.#writer.isIdle) this.#close()
  }

  #isTold(session: string, through: number): boolean {
    return through >= (this.#goals?.get(session) ?? 0)
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.#close(error)
  }

  /** The one way in which a stream ends; harmless when repeated. */
  #close(error?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#pulse.end()
    this.#commands.close()
    this.#watches.close()
    this.#writer.close()
    if (this.#memory?.stream === this) this.#shared.clients.left(this.#memory)
    this.#shared.closed(this)
    if (this.#call.cancelled || this.#call.destroyed) return
    if (error === undefined) this.#call.end()
    else this.#call.emit('error', refusalOf(error))
    // What comes now is of no interest, and unread it would keep the call open.
    this.#call.resume()
  }
}

const malformed = (text: string): BeamlineError => new BeamlineError('INVALID_TYPE', text)
