import type { Clock, Timer } from '../../threads/clock.js'

/** How long a snapshot may wait for its turn, and how long it has the turn for itself. */
const PATIENCE = 2000
const TURN = 2000
const MOST_WAITING = 1024

interface Ticket {
  readonly granted: () => void
  readonly refused: (retryAfterMs: number) => void
  readonly owner: object
  timer: Timer | undefined
  hasTurn: boolean
}

/** Lets so many large snapshots be sent at once, in turns that go round among the streams that want one. */
export class SnapshotTurns {
  readonly #most: number
  readonly #clock: Clock
  readonly #waiting = new Map<object, Ticket[]>()
  #count = 0
  #taken = 0

  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#clock = clock
  }

  get underWay(): number {
    return this.#taken
  }

  /**
   * Calls `granted` when it is the turn of `owner`, or `refused` when there are too many before it.
   * @returns what gives the turn, or the place in the line, back; harmless when repeated
   */
  request(owner: object, granted: () => void, refused: (retryAfterMs: number) => void): () => void {
    const ticket: Ticket = { granted, refused, owner, timer: undefined, hasTurn: false }
    if (this.#taken < this.#most) this.#grant(ticket)
    else if (this.#count >= MOST_WAITING) refused(jittered())
    else this.#wait(ticket)
    return () => this.#return(ticket)
  }

  #wait(ticket: Ticket): void {
    const line = this.#waiting.get(ticket.owner)
    if (line === undefined) this.#waiting.set(ticket.owner, [ticket])
    else line.push(ticket)
    this.#count++
    ticket.timer = this.#clock.setTimeout(() => {
      this.#leave(ticket)
      ticket.refused(jittered())
    }, PATIENCE)
  }

  #grant(ticket: Ticket): void {
    this.#taken++
    ticket.hasTurn = true
    // A receiver that does not go on must not keep the others waiting.
    ticket.timer = this.#clock.setTimeout(() => this.#return(ticket), TURN)
    ticket.granted()
  }

  #return(ticket: Ticket): void {
    if (!ticket.hasTurn) return this.#leave(ticket)
    ticket.hasTurn = false
    this.#stopTimer(ticket)
    this.#taken--
    const next = this.#waiting.entries().next()
    if (next.done === true) return
    const [owner, line] = next.value
    const first = line[0] as Ticket
    this.#leave(first)
    // Behind the other streams.
    if (this.#waiting.delete(owner)) this.#waiting.set(owner, line)
    this.#grant(first)
  }

  #leave(ticket: Ticket): void {
    this.#stopTimer(ticket)
    const line = this.#waiting.get(ticket.owner)
    const at = line?.indexOf(ticket) ?? -1
    if (line === undefined || at < 0) return
    line.splice(at, 1)
    this.#count--
    if (line.length === 0) this.#waiting.delete(ticket.owner)
  }

  #stopTimer(ticket: Ticket): void {
    if (ticket.timer !== undefined) this.#clock.clearTimeout(ticket.timer)
    ticket.timer = undefined
  }
}

/** So that those who were refused together do not come back together. */
const jittered = (): number => 500 + Math.floor(Math.random() * 1500)
