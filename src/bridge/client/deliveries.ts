import type { Pid } from '../../threads/pid.js'
import type { FromBridge } from './messages.js'

type Answers = Extract<FromBridge, { readonly kind: 'written' }>

/** What a bridge tells contexts, in order; of the answers to plain writes, those that come together in one piece. */
export class Deliveries {
  readonly #send: (pid: Pid, message: FromBridge) => void
  #pid: Pid | undefined
  #session = ''
  #answers: number[] = []

  constructor(send: (pid: Pid, message: FromBridge) => void) {
    this.#send = send
  }

  /** An answer that leaves with the next {@link flush}. */
  written(pid: Pid, session: string, ...answer: readonly [seq: number, revision: number, version: number, at: number]) {
    if (this.#pid !== undefined && !(this.#session === session && this.#pid.equals(pid))) this.flush()
    this.#pid = pid
    this.#session = session
    this.#answers.push(...answer)
  }

  readonly send = (pid: Pid, message: FromBridge): void => {
    this.flush()
    this.#send(pid, message)
  }

  flush(): void {
    const pid = this.#pid
    if (pid === undefined) return
    const message: Answers = {
      type: 'beamline:bridge',
      kind: 'written',
      session: this.#session,
      answers: this.#answers,
    }
    this.#pid = undefined
    this.#answers = []
    this.#send(pid, message)
  }
}
