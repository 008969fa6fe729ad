import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import type { Clock, Timer } from '../../threads/clock.js'
import type { ClientFrame, ClientItem, Command, Hello } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { fromState } from '../wire/native-codec.js'
import { refusalOf } from '../wire/status.js'
import type { Answer, Answered, ClientMemories, ClientMemory } from './client-memory.js'
import { type Commands, failed, type Outcome, permissionFor } from './commands.js'
import type { Caller } from './guard.js'
import type { Mirrors } from './mirrors.js'
import type { Bucket, ServiceDeps } from './service-deps.js'
import { SessionLine } from './session-line.js'
import { itemOf } from './stream-frame.js'
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
const SHORTEST_BEAT = 50
const LONGEST_BEAT = 60_000
/** A client that is silent for so many beats is forgotten. */
const BEATS = 3
/** While so many commands are under way, or answers not taken, no more are read. */
const MOST_UNDER_WAY = 4096

/** One client's stream: what it asks for in the order in which it does, and its watches. */
export class Stream implements Answered {
  readonly #shared: StreamShared
  readonly #call: StreamCall
  readonly #caller: Caller
  readonly #bucket: Bucket
  readonly #writer: StreamWriter
  readonly #watches: StreamWatches
  #memory: ClientMemory | undefined
  #beatMs: number
  #heard: number
  #timer: Timer | undefined
  #underWay = 0
  #isPaused = false
  /** The client says no more: it is answered, and then it ends. */
  #isHalfClosed = false
  /** How far each session has to be told before the stream may end, once the server drains. */
  #goals: ReadonlyMap<string, number> | undefined
  #isClosed = false

  /** @throws BeamlineError UNAUTHENTICATED */
  constructor(shared: StreamShared, call: StreamCall) {
    const { deps, mirrors, turns, clock } = shared
    this.#shared = shared
    this.#call = call
    this.#caller = deps.guard.admit(call.metadata)
    this.#bucket = deps.rates.of(call.metadata, call.getPeer())
    this.#beatMs = deps.heartbeatMs
    this.#heard = clock.now()
    this.#writer = new StreamWriter(
      {
        write: (frame, written) => void call.write(frame, written),
        written: () => this.#written(),
        overrun: () => this.#fail(new BeamlineError('EXHAUSTED', 'the client does not read what it asks for')),
        tooLarge: (watch, bytes, hard) => this.#watches.tooLarge(watch, bytes, hard),
      },
      deps.limits.maxMessageBytes - FRAME_MARGIN,
    )
    const line = (session: string) => this.#line(session)
    const host = { writer: this.#writer, caller: this.#caller, limits: deps.limits, mirrors, line }
    this.#watches = new StreamWatches(host, { clock, turns })
    this.#listen()
    this.#armTimer()
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
    this.#heard = this.#shared.clock.now()
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
        return this.#command(memory, kind.value)
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
    if (heartbeatMs > 0) this.#beatMs = Math.min(Math.max(heartbeatMs, SHORTEST_BEAT), LONGEST_BEAT)
    this.#armTimer()
    const memory = clients.of(this.#caller.key, clientId, clientInstance)
    this.#memory = memory
    memory.stream?.replaced()
    memory.stream = this
    memory.acknowledge(repliesSeen)
    const { maxWatches, maxCredit } = deps.limits
    const welcome = {
      protocol: PROTOCOL,
      serverId: deps.serverId,
      heartbeatMs: this.#beatMs,
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

  #line(id: string): SessionLine {
    const { deps, mirrors, clock } = this.#shared
    const lines = this.#memory?.lines
    const known = lines?.get(id)
    if (known !== undefined) return known
    const made = new SessionLine(id, deps.sessions, mirrors, () => clock.now())
    lines?.set(id, made)
    return made
  }

  #command(memory: ClientMemory, { id, sessionId, op }: Command): void {
    if (id === 0) throw malformed('a command must have an id above 0')
    this.#underWay++
    this.#pace()
    const refuse = (error: unknown) => this.answer(answerOf(id, sessionId, 0, failed(error)))
    if (op === undefined) return refuse(malformed('a command of no kind that is known here'))
    try {
      // Before anything is remembered, or told of what was: leave may have been withdrawn, or never given.
      this.#caller.require(sessionId, permissionFor(op))
    } catch (error) {
      return refuse(error)
    }
    const reception = memory.receive(id, this)
    if (reception === 'forgotten') return refuse(over(id))
    if (reception === 'full') return refuse(full())
    if (reception === 'known') return
    const tell = (outcome: Outcome, revision: number) => memory.done(id, this.#answer(id, sessionId, revision, outcome))
    const fail = (error: unknown) => tell(failed(error), 0)
    try {
      this.#bucket.take()
      if (this.#goals !== undefined) throw new BeamlineError('UNAVAILABLE', 'the server is about to end')
      const line = this.#line(sessionId)
      if (op.$case !== 'join') return line.run((open) => this.#shared.commands.run(op, open, line, tell), fail)
      const { create, metadata, state } = op.value
      line.join(
        { create, metadata, state: state && fromState(state), permit: () => this.#caller.require(sessionId, 'write') },
        (open, created) => this.#shared.commands.joined(open, created, tell),
        fail,
      )
    } catch (error) {
      fail(error)
    }
  }

  #answer(id: number, session: string, revision: number, outcome: Outcome): Answer {
    const answer = answerOf(id, session, revision, outcome)
    const room = this.#writer.hard - 64
    if (answer.item.length <= room) return answer
    const text = `the answer takes ${answer.item.length} bytes: a frame has ${room} at most: ask for less at once`
    return answerOf(id, session, revision, failed(new BeamlineError('OVERFLOW', text)))
  }

  answer({ session, revision, item }: Answer): void {
    if (this.#isClosed) return
    this.#underWay--
    this.#writer.reply(session, revision, item)
    this.#pace()
  }

  /** What a client does not take, or what is under way for it, must not grow without bound. */
  #pace(): void {
    const count = Math.max(this.#underWay, this.#writer.heldReplies)
    if (!this.#isPaused && count >= MOST_UNDER_WAY) {
      this.#isPaused = true
      this.#call.pause()
    } else if (this.#isPaused && count < MOST_UNDER_WAY / 2) {
      this.#isPaused = false
      this.#heard = this.#shared.clock.now()
      this.#call.resume()
    }
  }

  #armTimer(): void {
    const { clock } = this.#shared
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => this.#beat(), this.#beatMs)
  }

  #beat(): void {
    this.#armTimer()
    if (this.#isSilent) {
      // What it has sent may be here, unread, if it was this thread that stood still.
      setImmediate(() => setImmediate(() => this.#isSilent && this.#fail(silent(this.#beatMs))))
      return
    }
    const lines = this.#memory?.lines
    for (const line of lines?.values() ?? []) if (line.open === undefined && line.isIdle) lines?.delete(line.id)
    this.#watches.beat(BEATS * this.#beatMs)
  }

  get #isSilent(): boolean {
    const { clock } = this.#shared
    return !this.#isClosed && !this.#isPaused && clock.now() - this.#heard >= BEATS * this.#beatMs
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

  #isFenced = false
  #hasReported = false

  /** Looks whether the stream has come to its end, once it has nothing more to say. */
  #written(): void {
    if (this.#isClosed) return
    this.#pace()
    if (!this.#isHalfClosed && !this.#isFenced) return
    if (this.#underWay > 0) return
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
    const { clock } = this.#shared
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#watches.close()
    this.#writer.close()
    const memory = this.#memory
    if (memory?.stream === this) {
      memory.stream = undefined
      memory.leftAt = clock.now()
    }
    this.#shared.closed(this)
    if (this.#call.cancelled || this.#call.destroyed) return
    if (error === undefined) this.#call.end()
    else this.#call.emit('error', refusalOf(error))
    // What comes now is of no interest, and unread it would keep the call open.
    this.#call.resume()
  }
}

function answerOf(id: number, session: string, revision: number, outcome: Outcome): Answer {
  return { session, revision, item: itemOf({ $case: 'reply', value: { id, revision, outcome } }) }
}

const malformed = (text: string): BeamlineError => new BeamlineError('INVALID_TYPE', text)

const silent = (beatMs: number): BeamlineError =>
  new BeamlineError('UNAVAILABLE', `nothing was heard of the client for ${BEATS} beats of ${beatMs} ms`)

const over = (id: number): BeamlineError =>
  new BeamlineError('UNAVAILABLE', `command ${id} is over: it may or may not have been carried out`)

const full = (): BeamlineError =>
  new BeamlineError('EXHAUSTED', 'too many answers are not acknowledged: acknowledge them by replies_seen', {
    details: { retryAfterMs: 1000 },
  })
