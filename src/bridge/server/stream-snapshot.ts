import type { Standing } from './mirror-standing.js'
import type { Allowance } from './stream-pending.js'
import type { Piece, WatchHost } from './stream-wish.js'

/** Snapshots of so many variables need no turn. */
const SMALL = 256

type Chunk = Extract<Piece, { kind: 'snapshot' | 'short' }>

/** The variables of one revision with which a watch begins, as far as they have been sent. */
export class Snapshot {
  readonly #variables: readonly Standing[]
  readonly #revision: number
  #sent = 0
  #hasTurn: boolean
  #release: () => void = () => {}

  constructor(variables: readonly Standing[], revision: number) {
    this.#variables = variables
    this.#revision = revision
    this.#hasTurn = variables.length <= SMALL
  }

  /** Whether it may be sent now. */
  get hasTurn(): boolean {
    return this.#hasTurn
  }

  /** Whether every variable has been sent. */
  get isWhole(): boolean {
    return this.#sent === this.#variables.length
  }

  /** Asks for its turn, if it needs one. */
  begin(host: WatchHost, then: { granted(): void; refused(retryAfterMs: number): void }): void {
    if (this.#hasTurn) return
    const granted = () => {
      this.#hasTurn = true
      then.granted()
    }
    this.#release = host.turns.request(host, granted, (retryAfterMs) => then.refused(retryAfterMs))
  }

  /** Gives its turn back; harmless when repeated. */
  release(): void {
    this.#release()
  }

  /** The next variables, as many as are allowed. */
  take({ events, bytes }: Allowance): Chunk {
    const [variables, sent] = [this.#variables, this.#sent]
    const isCounted = bytes !== Number.POSITIVE_INFINITY
    let sum = 0
    let end = sent
    for (; end < variables.length && end - sent < events; end++) {
      sum += isCounted ? (variables[end] as Standing).body.length + 6 : 0
      if (sum > bytes) break
    }
    if (end === sent && sent < variables.length) return { kind: 'short', needs: { events: 1, bytes: sum } }
    this.#sent = end
    return { kind: 'snapshot', revision: this.#revision, variables: variables.slice(sent, end), last: this.isWhole }
  }
}
