import { BeamlineError } from '../../errors.js'
import type { Clock, Timer } from '../../threads/clock.js'

const SHORTEST_BEAT = 50
const LONGEST_BEAT = 60_000
/** A client that is silent for so many beats is forgotten. */
const BEATS = 3

/** What a pulse needs to know of its stream, and tells it. */
export interface PulseHost {
  /** Nothing is read from the client at present: it may say what it will. */
  readonly isPaused: boolean
  /** Since when it has not taken the frame that is being written; `undefined` when none is. */
  readonly writingSince: number | undefined
  beat(): void
  silent(error: BeamlineError): void
}

/** The beats of a stream: at each it is looked whether the client still lives. */
export class Pulse {
  readonly #clock: Clock
  readonly #host: PulseHost
  #ms: number
  #heardAt: number
  #timer: Timer | undefined

  constructor(clock: Clock, ms: number, host: PulseHost) {
    this.#clock = clock
    this.#ms = ms
    this.#host = host
    this.#heardAt = clock.now()
    this.#arm()
  }

  /** Milliseconds between two beats. */
  get ms(): number {
    return this.#ms
  }

  /** So long a client may be silent, or take nothing. */
  get patience(): number {
    return BEATS * this.#ms
  }

  /** As the client wishes, within limits. */
  every(ms: number): void {
    this.#ms = Math.min(Math.max(ms, SHORTEST_BEAT), LONGEST_BEAT)
    this.#arm()
  }

  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.end()
    this.#timer = this.#clock.setTimeout(() => this.#beat(), this.#ms)
  }

  #beat(): void {
    this.#arm()
    if (!this.#isSilent) return this.#host.beat()
    // What it has sent may be here, unread, if it was this thread that stood still.
    setImmediate(() => setImmediate(() => this.#end()))
  }

  #end(): void {
    if (this.#timer !== undefined && this.#isSilent) this.#host.silent(silent(this.#ms))
  }

  /** One that is not read from is only known by what it takes. */
  get #isSilent(): boolean {
    const since = this.#host.isPaused ? this.#host.writingSince : this.#heardAt
    return since !== undefined && this.#clock.now() - since >= this.patience
  }
}

const silent = (beatMs: number): BeamlineError =>
  new BeamlineError('UNAVAILABLE', `nothing was heard of the client for ${BEATS} beats of ${beatMs} ms`)
