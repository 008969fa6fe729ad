import type { From } from '../../actors/messages.js'
import { BeamlineError } from '../../errors.js'
import type { CommitEvent, NumberedInfo } from '../../variables/session-state.js'
import {
  type Batch,
  type Canceled,
  type Created,
  type Event,
  Op,
  ResumeResult,
  type WatchProgress,
} from '../gen/snakepit/bridge/watch/v1/watch.js'
import { fromEvent } from '../wire/native-codec.js'
import type { Acks, Credit } from './acks.js'
import { EventTrain } from './event-train.js'
import type { Watching } from './link-parts.js'
import type { PastRequest } from './messages.js'

interface PastParts {
  readonly acks: Acks
  /** The variables of the session as they are now. */
  readonly variables: readonly NumberedInfo[]
  unwatch(credit: Credit): void
  answer(from: From, events: readonly CommitEvent[]): void
  refuse(from: From, error: BeamlineError): void
}

/** Reads commits of a session that its log still tells, by a watch of its own which ends with them. */
export class Past implements Watching {
  readonly session: string
  readonly #from: From
  readonly #request: PastRequest
  readonly #parts: PastParts
  readonly #train: EventTrain
  /** By number: as far as is known, how each variable was before the next event. */
  readonly #before = new Map<number, { info: NumberedInfo; value: unknown }>()
  readonly #events: CommitEvent[] = []
  #credit: Credit | undefined
  #over = false

  constructor(from: From, request: PastRequest, parts: PastParts) {
    this.session = request.session
    this.#from = from
    this.#request = request
    this.#parts = parts
    this.#train = new EventTrain(request.since)
    for (const info of parts.variables) this.#before.set(info.number, { info, value: undefined })
  }

  begun(credit: Credit): void {
    this.#credit = credit
  }

  created({ resume, compacted }: Created): void {
    if (resume !== ResumeResult.RESUME_RESULT_RESUMED) this.#compacted(compacted)
    else this.#look()
  }

  snapshot(): void {}

  batch(batch: Batch): void {
    if (this.#over || this.#credit === undefined) return
    this.#parts.acks.used(this.#credit, batch.events.length, batch.through)
    if (batch.prev !== this.#train.through) return this.fail(this.#unavailable('it came out of order'))
    for (const event of this.#train.take(batch)) this.#take(event)
    this.#look()
  }

  progress({ through }: WatchProgress): void {
    this.#train.pass(through)
    this.#look()
  }

  canceled({ compacted, detail }: Canceled): void {
    this.#credit = undefined
    if (compacted > this.#request.since) this.#compacted(compacted)
    else this.fail(this.#unavailable(detail))
  }

  settle(): void {}

  offline(): void {
    this.#credit = undefined
    this.fail(this.#unavailable('the connection was lost'))
  }

  fail(error: BeamlineError): void {
    if (this.#end()) this.#parts.refuse(this.#from, error)
  }

  #take(event: Event): void {
    const { number, op, defined } = event
    const known = this.#before.get(number)
    // What has been deleted since nobody can watch any more.
    if (known === undefined && op !== Op.OP_DEFINE) return
    const past = fromEvent(event, known && { ...known.info, value: known.value })
    if (past.revision <= this.#request.through) this.#events.push(past)
    if (past.info !== undefined && defined !== undefined)
      this.#before.set(number, { info: past.info, value: past.value })
    else if (known !== undefined) known.value = past.value
  }

  #look(): void {
    if (this.#train.whole < this.#request.through) return
    if (this.#end()) this.#parts.answer(this.#from, this.#events)
  }

  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    const credit = this.#credit
    if (credit === undefined) return true
    this.#parts.acks.forget(credit)
    this.#parts.unwatch(credit)
    return true
  }

  #compacted(compacted: number): void {
    const { since, session } = this.#request
    const text = `changes of ${session} after revision ${since} are no longer all kept: begin at ${compacted} or later`
    this.fail(new BeamlineError('COMPACTED', text, { details: { revision: since, compacted } }))
  }

  #unavailable(why: string): BeamlineError {
    const { session, since } = this.#request
    const text = `the changes of ${session} after revision ${since} could not be read (${why}): try again`
    return new BeamlineError('UNAVAILABLE', text)
  }
}
