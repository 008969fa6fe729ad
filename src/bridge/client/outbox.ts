import { BeamlineError } from '../../errors.js'
import type { Command, Reply } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { encodeCommand } from '../wire/brief.js'
import { Lane } from './lane.js'

/** Commands that may be on their way at one time; more wait here. */
const WINDOW = 16_384
/** Commands that may wait. */
const MAX_WAITING = 1_000_000
/** What those may take together, about. */
const MAX_BYTES = 256 * 1024 * 1024
/** The most bytes of one command, where the server has not said so. */
const LARGEST = 4 * 1024 * 1024 - 1024
/** What a frame has around a command. */
const AROUND = 16

/** A command from its first day to its answer. */
export interface Errand {
  readonly session: string
  /** What it is called in messages. */
  readonly what: string
  /** Whether those of the session that come after it wait for its answer. */
  readonly isFence?: boolean
  /** Whether it changes nothing, so that it matters to nobody whether it was carried out. */
  readonly isRead?: boolean
  /** About how much memory it takes. */
  weight?(): number
  /** As it travels. @throws BeamlineError for what cannot */
  op(): NonNullable<Command['op']>
  /** Once: the server's answer, or why there is none. */
  done(reply: Reply | undefined, error: BeamlineError | undefined): void
}

interface Sent {
  readonly errand: Errand
  readonly item: Uint8Array
}

/**
 * Commands on their way to the server, none of which is carried out twice: what was sent is sent again, under its number,
 * to the same server only.
 */
export class Outbox {
  readonly #send: (item: Uint8Array) => void
  readonly #lanes = new Map<string, Lane>()
  readonly #unanswered = new Map<number, Sent>()
  #waiting = 0
  #bytes = 0
  #lastId = 0
  #online = false
  #largest = LARGEST
  /** Runs once nothing is on its way. */
  onIdle: (() => void) | undefined

  constructor(send: (item: Uint8Array) => void) {
    this.#send = send
  }

  /** Every command up to this one has been answered. */
  get repliesSeen(): number {
    for (const id of this.#unanswered.keys()) return id - 1
    return this.#lastId
  }

  get unanswered(): number {
    return this.#unanswered.size
  }

  post(errand: Errand): void {
    const lane = this.#lane(errand.session)
    if (lane.isFree && this.#hasRoom && lane.length === 0) return this.#dispatch(errand)
    if (this.#waiting >= MAX_WAITING) {
      const text = `${errand.what} of ${errand.session}: ${MAX_WAITING} commands wait for the server already: wait for some of them`
      return errand.done(undefined, new BeamlineError('OVERFLOW', text))
    }
    const bytes = errand.weight?.() ?? 0
    if (this.#bytes + bytes > MAX_BYTES) {
      const text = `${errand.what} of ${errand.session}: commands of ${this.#bytes} bytes wait for the server already: wait for some of them`
      const details = { bytes, limit: MAX_BYTES }
      return errand.done(undefined, new BeamlineError('OVERFLOW', text, { details }))
    }
    this.#waiting++
    this.#bytes += bytes
    lane.push(errand, bytes)
  }

  /** Sends a command before its session is there, as it is what brings it. @returns whether it could be sent */
  postAtOnce(errand: Errand): boolean {
    if (this.#online) this.#dispatch(errand)
    return this.#online
  }

  /** From now on the commands of a session are sent, or not. */
  setOpen(session: string, open: boolean): void {
    const lane = this.#lane(session)
    lane.open = open
    if (open) this.#drain(lane)
  }

  /** Nobody has anything to do with the session any more. @param error what its waiting commands are answered */
  forget(session: string, error: BeamlineError): void {
    const lane = this.#lanes.get(session)
    if (lane === undefined) return
    this.#lanes.delete(session)
    this.#reject(lane, error)
  }

  reply(reply: Reply): void {
    const sent = this.#unanswered.get(reply.id)
    if (sent === undefined) return
    this.#unanswered.delete(reply.id)
    this.#done(sent.errand, reply, undefined)
  }

  /** Some answers have come: there is room for more. */
  settled(): void {
    if (this.#waiting > 0 && this.#hasRoom) for (const lane of this.#lanes.values()) this.#drain(lane)
    if (this.#unanswered.size === 0) this.onIdle?.()
  }

  /**
   * There is a server again.
   * @param same whether it is the one to which all unanswered commands were sent
   * @param limit the most bytes that it takes in a frame; 0 if it has not said
   */
  online(same: boolean, address: string, limit = 0): void {
    this.#online = true
    this.#largest = limit > 0 ? limit - AROUND : LARGEST
    if (same) {
      for (const { item } of this.#unanswered.values()) this.#send(item)
      return
    }
    const lost = [...this.#unanswered.values()]
    this.#unanswered.clear()
    for (const { errand } of lost)
      this.#done(errand, undefined, uncertain(errand, `the server at ${address} was replaced`))
  }

  /** There is no server; what was sent waits for its answer. */
  offline(): void {
    this.#online = false
    for (const lane of this.#lanes.values()) lane.open = false
  }

  /** Rejects what was not sent, and what was and changes nothing. */
  rejectWaiting(error: BeamlineError): void {
    for (const [id, { errand }] of this.#unanswered) {
      if (!errand.isRead) continue
      this.#unanswered.delete(id)
      this.#done(errand, undefined, error)
    }
    for (const lane of this.#lanes.values()) this.#reject(lane, error)
  }

  /** There will be no server any more. */
  close(error: BeamlineError): void {
    this.offline()
    const lost = [...this.#unanswered.values()]
    this.#unanswered.clear()
    for (const { errand } of lost) this.#done(errand, undefined, uncertain(errand, error.message))
    this.rejectWaiting(error)
  }

  get #hasRoom(): boolean {
    return this.#unanswered.size < WINDOW
  }

  #lane(session: string): Lane {
    let lane = this.#lanes.get(session)
    if (lane === undefined) {
      lane = new Lane()
      this.#lanes.set(session, lane)
    }
    return lane
  }

  #drain(lane: Lane): void {
    while (lane.length > 0 && lane.isFree && this.#hasRoom) {
      const { errand, bytes } = lane.shift()
      this.#waiting--
      this.#bytes -= bytes
      this.#dispatch(errand)
    }
  }

  #done(errand: Errand, reply: Reply | undefined, error: BeamlineError | undefined): void {
    const lane = errand.isFence ? this.#lanes.get(errand.session) : undefined
    // It may be another lane of the same name, for which nobody waits.
    if (lane !== undefined && lane.fences > 0) lane.fences--
    errand.done(reply, error)
  }

  #reject(lane: Lane, error: BeamlineError): void {
    this.#waiting -= lane.length
    this.#bytes -= lane.bytes
    for (const errand of lane.takeAll()) errand.done(undefined, error)
  }

  #dispatch(errand: Errand): void {
    let item: Uint8Array
    try {
      item = encodeCommand(this.#lastId + 1, errand.session, errand.op())
      if (item.length > this.#largest) throw tooLarge(errand, item.length, this.#largest)
    } catch (error) {
      if (error instanceof BeamlineError) return errand.done(undefined, error)
      throw error
    }
    if (errand.isFence) this.#lane(errand.session).fences++
    this.#lastId++
    this.#unanswered.set(this.#lastId, { errand, item })
    this.#send(item)
  }
}

function tooLarge({ session, what }: Errand, bytes: number, limit: number): BeamlineError {
  const text = `${what} of ${session} takes ${bytes} bytes: ${limit} at most can be sent to the server at once`
  return new BeamlineError('OVERFLOW', text, { details: { bytes, limit } })
}

function uncertain({ session, what }: Errand, why: string): BeamlineError {
  const text = `${what} of ${session} may or may not have been carried out: ${why}: read before you try it again`
  return new BeamlineError('UNAVAILABLE', text, { details: { session, uncertain: true } })
}
