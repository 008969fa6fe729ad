import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import { type Attach, type LinkParts, remaking } from './link-parts.js'

/** The contexts that wait to be of a session. */
export class Waiting {
  readonly #session: string
  readonly #refuse: LinkParts['refuse']
  #all: Attach[] = []
  /** Who was to bring the session, or has brought it. */
  #maker: Attach | undefined

  constructor(session: string, refuse: LinkParts['refuse']) {
    this.#session = session
    this.#refuse = refuse
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  get first(): Attach | undefined {
    return this.#all[0]
  }

  has(attach: Attach): boolean {
    return this.#all.includes(attach)
  }

  add(attach: Attach): void {
    this.#all.push(attach)
  }

  delete(pid: Pid): void {
    this.#all = this.#all.filter((attach) => !attach.pid.equals(pid))
  }

  takeAll(): Attach[] {
    return this.#all.splice(0)
  }

  /** It is this one that brings the session. */
  made(by: Attach): void {
    this.#maker = by
  }

  /** The session is there: what it was made with is not kept. */
  settled(): void {
    if (this.#maker !== undefined && !this.has(this.#maker)) this.#maker = undefined
  }

  isMaker(attach: Attach): boolean {
    return attach === this.#maker
  }

  /** Those whose session is gone make it again from what they have seen. */
  remake(): void {
    this.#all = this.#all.map(remaking)
  }

  /** Whether one of them has seen the session on that server. */
  knows(server: string | undefined): boolean {
    return this.#all.some(({ seen }) => seen?.server !== undefined && seen.server === server)
  }

  refuseAll(error: BeamlineError): void {
    for (const { from } of this.takeAll()) this.#refuse(from, error)
  }

  /**
   * The connection is lost. Who was of the session before waits for another one, and who would only now move there does not.
   * @param wait whether others do
   */
  lost(wait: boolean): void {
    const all = this.#all
    this.#all = all.filter((attach) => isBack(attach) || (wait && attach.state === undefined))
    for (const attach of all) if (!this.has(attach)) this.#refuse(attach.from, this.#lost(attach))
  }

  #lost(attach: Attach): BeamlineError {
    const session = this.#session
    const details = { session, uncertain: this.isMaker(attach) }
    const text = details.uncertain
      ? `the session ${session} may or may not have been made, as the connection was lost: see whether it is there`
      : `attach to ${session} was not begun, as the connection was lost: try again once the bridge is ready`
    return new BeamlineError('UNAVAILABLE', text, { details })
  }
}

/** Whether a context was of the session before. */
export const isBack = ({ seen, again }: Pick<Attach, 'seen' | 'again'>): boolean => again === true || seen !== undefined
