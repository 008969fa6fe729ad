import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { Reply } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { answerOf, opOf } from './answers.js'
import type { BridgeMessage, FromBridge, SessionAnswer, SessionCommand } from './messages.js'
import type { Errand } from './outbox.js'
import { weightOf } from './weight.js'

/** Takes an answer for whoever asked. */
export type Deliver = (pid: Pid, message: FromBridge) => void

const reads: ReadonlySet<SessionCommand['op']> = new Set(['sync', 'since', 'history'])

/** What a context wants of its session, until it is told what has come of it. */
export class ContextErrand implements Errand {
  readonly #message: BridgeMessage
  readonly #deliver: Deliver

  constructor(message: BridgeMessage, deliver: Deliver) {
    this.#message = message
    this.#deliver = deliver
  }

  get session(): string {
    return this.#message.session
  }

  get isFence(): boolean {
    const { command } = this.#message
    return command.op === 'sync' && command.first
  }

  get isRead(): boolean {
    return reads.has(this.#message.command.op)
  }

  get what(): string {
    return this.#message.command.op
  }

  weight(): number {
    return weightOf(this.#message.command)
  }

  op(): ReturnType<typeof opOf> {
    return opOf(this.#message.command)
  }

  done(reply: Reply | undefined, error: BeamlineError | undefined): void {
    if (reply === undefined) return this.#tell(0, undefined, error)
    try {
      this.#tell(reply.revision, answerOf(this.#message.command.op, reply), undefined)
    } catch (thrown) {
      if (!(thrown instanceof BeamlineError)) throw thrown
      this.#tell(reply.revision, undefined, thrown)
    }
  }

  #tell(revision: number, answer: SessionAnswer, error: BeamlineError | undefined): void {
    const { session, pid, seq } = this.#message
    this.#deliver(pid, { type: 'beamline:bridge', kind: 'reply', session, seq, revision, answer, error })
  }
}
