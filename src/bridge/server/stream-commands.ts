import { BeamlineError } from '../../errors.js'
import type { Command } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { encodeReply } from '../wire/brief.js'
import { fromState } from '../wire/native-codec.js'
import type { Answer, Answered, ClientMemory } from './client-memory.js'
import { type Commands, costOf, failed, type Operation, type Outcome, permissionFor } from './commands.js'
import type { Caller } from './guard.js'
import type { Bucket } from './service-deps.js'
import type { SessionLine } from './session-line.js'
import type { StreamWriter } from './stream-writer.js'

/** What the commands of a stream need of it. */
export interface CommandsHost {
  readonly commands: Commands
  readonly caller: Caller
  readonly bucket: Bucket
  readonly writer: StreamWriter
  /** What the client does with a session, in order. */
  line(session: string): SessionLine
  /** More, or less, is under way. */
  changed(): void
}

/** The commands of a stream, each of which is answered once however often it comes. */
export class StreamCommands implements Answered {
  readonly #host: CommandsHost
  #underWay = 0
  #isRefusing = false
  #isClosed = false

  constructor(host: CommandsHost) {
    this.#host = host
  }

  /** How many have not been answered. */
  get underWay(): number {
    return this.#underWay
  }

  /** @throws BeamlineError INVALID_TYPE for what is no command */
  take(memory: ClientMemory, { id, sessionId, op }: Command): void {
    if (id === 0) throw new BeamlineError('INVALID_TYPE', 'a command must have an id above 0')
    this.#underWay++
    this.#host.changed()
    const refuse = (error: unknown) => this.answer(answerOf(id, sessionId, 0, failed(error)))
    if (op === undefined) return refuse(unknownKind())
    const reception = memory.receive(id, this)
    if (reception === 'forgotten') return refuse(over(id))
    if (reception === 'full') return refuse(full())
    if (reception === 'known') return
    const tell = (outcome: Outcome, revision: number) =>
      memory.done(id, this.#fitting(id, sessionId, revision, outcome))
    try {
      this.#run(sessionId, op, tell)
    } catch (error) {
      tell(failed(error), 0)
    }
  }

  #run(sessionId: string, op: Operation, tell: (outcome: Outcome, revision: number) => void): void {
    const { bucket, caller, commands } = this.#host
    bucket.take(costOf(op))
    caller.require(sessionId, permissionFor(op))
    if (this.#isRefusing) throw new BeamlineError('UNAVAILABLE', 'the server is about to end')
    const line = this.#host.line(sessionId)
    const fail = (error: unknown) => tell(failed(error), 0)
    if (op.$case !== 'join') return line.run((open) => commands.run(op, open, line, tell), fail)
    const { create, metadata, state } = op.value
    line.join(
      { create, metadata, state: state && fromState(state), permit: () => caller.require(sessionId, 'write') },
      (open, created) => commands.joined(open, created, tell),
      fail,
    )
  }

  #fitting(id: number, session: string, revision: number, outcome: Outcome): Answer {
    const answer = answerOf(id, session, revision, outcome)
    const room = this.#host.writer.hard - 64
    if (answer.item.length <= room) return answer
    const text = `the answer takes ${answer.item.length} bytes: a frame has ${room} at most: ask for less at once`
    return answerOf(id, session, revision, failed(new BeamlineError('OVERFLOW', text)))
  }

  answer({ session, revision, item }: Answer): void {
    if (this.#isClosed) return
    this.#underWay--
    this.#host.writer.reply(session, revision, item)
    this.#host.changed()
  }

  /** What comes from now on is not carried out. */
  refuse(): void {
    this.#isRefusing = true
  }

  close(): void {
    this.#isClosed = true
  }
}

function answerOf(id: number, session: string, revision: number, outcome: Outcome): Answer {
  return { session, revision, item: encodeReply({ id, revision, outcome }) }
}

const unknownKind = () => new BeamlineError('INVALID_TYPE', 'a command of no kind that is known here')

const over = (id: number) =>
  new BeamlineError('UNAVAILABLE', `command ${id} is over: it may or may not have been carried out`)

const full = () =>
  new BeamlineError('EXHAUSTED', 'too many answers are not acknowledged: acknowledge them by replies_seen', {
    details: { retryAfterMs: 1000 },
  })
