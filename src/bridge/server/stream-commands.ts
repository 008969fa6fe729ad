import { BeamlineError } from '../../errors.js'
import type { Clock } from '../../threads/clock.js'
import type { SessionState } from '../../variables/session-state.js'
import type { Command, State } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { encodeReply } from '../wire/brief.js'
import { fromState } from '../wire/native-codec.js'
import type { Answer, Answered, ClientMemory } from './client-memory.js'
import { type Commands, costOf, failed, type Outcome, permissionFor } from './commands.js'
import type { Caller } from './guard.js'
import { assertRoom } from './mirror-room.js'
import type { Mirrors } from './mirrors.js'
import type { Bucket, ServiceDeps } from './service-deps.js'
import { SessionLine } from './session-line.js'
import { checkState } from './state-check.js'
import type { Load } from './stream-load.js'
import type { StreamWriter } from './stream-writer.js'

/** What the commands of a stream need of it. */
export interface CommandsHost {
  readonly deps: ServiceDeps
  readonly mirrors: Mirrors
  readonly commands: Commands
  readonly clock: Clock
  readonly caller: Caller
  readonly bucket: Bucket
  readonly writer: StreamWriter
  readonly load: Load
  /** The server is about to end: nothing new is begun. */
  isDraining(): boolean
}

/** What a client wants to be done, and how it is answered: each once, however often it is sent. */
export class StreamCommands implements Answered {
  readonly #host: CommandsHost
  /** What is known of the client, once it has said who it is. */
  memory: ClientMemory | undefined
  #isClosed = false

  constructor(host: CommandsHost) {
    this.#host = host
  }

  /** What the client does with a session, in order. */
  line(id: string): SessionLine {
    const { deps, mirrors, clock } = this.#host
    const lines = this.memory?.lines
    const known = lines?.get(id)
    if (known !== undefined) return known
    const made = new SessionLine(id, deps.sessions, mirrors, () => clock.now())
    lines?.set(id, made)
    return made
  }

  take(memory: ClientMemory, { id, sessionId, op }: Command): void {
    if (id === 0) throw new BeamlineError('INVALID_TYPE', 'a command must have an id above 0')
    const { load, caller, bucket, commands } = this.#host
    load.begin()
    const refuse = (error: unknown) => this.answer(answerOf(id, sessionId, 0, failed(error)))
    if (op === undefined) return refuse(new BeamlineError('INVALID_TYPE', 'a command of no kind that is known here'))
    try {
      // Before anything is remembered, or told of what was: leave may have been withdrawn, or never given.
      caller.require(sessionId, permissionFor(op))
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
      bucket.take(costOf(op))
      if (this.#host.isDraining()) throw new BeamlineError('UNAVAILABLE', 'the server is about to end')
      const line = this.line(sessionId)
      if (op.$case !== 'join') return line.run((open) => commands.run(op, open, line, tell), fail)
      const { create, metadata } = op.value
      const state = op.value.state && this.#state(op.value.state)
      line.join(
        { create, metadata, state, permit: () => caller.require(sessionId, 'write') },
        (open, created) => commands.joined(open, created, tell),
        fail,
      )
    } catch (error) {
      fail(error)
    }
  }

  #state(state: State): SessionState {
    assertRoom(state.variables.length, this.#host.deps.limits.maxVariables)
    return checkState(fromState(state))
  }

  #answer(id: number, session: string, revision: number, outcome: Outcome): Answer {
    const answer = answerOf(id, session, revision, outcome)
    const room = this.#host.writer.hard - 64
    if (answer.item.length <= room) return answer
    const text = `the answer takes ${answer.item.length} bytes: a frame has ${room} at most: ask for less at once`
    return answerOf(id, session, revision, failed(new BeamlineError('OVERFLOW', text)))
  }

  answer({ session, revision, item }: Answer): void {
    if (this.#isClosed) return
    this.#host.writer.reply(session, revision, item)
    this.#host.load.end()
  }

  /** Nobody is answered any more. */
  close(): void {
    this.#isClosed = true
  }
}

function answerOf(id: number, session: string, revision: number, outcome: Outcome): Answer {
  return { session, revision, item: encodeReply({ id, revision, outcome }) }
}

const over = (id: number): BeamlineError =>
  new BeamlineError('UNAVAILABLE', `command ${id} is over: it may or may not have been carried out`)

const full = (): BeamlineError =>
  new BeamlineError('EXHAUSTED', 'too many answers are not acknowledged: acknowledge them by replies_seen', {
    details: { retryAfterMs: 1000 },
  })
