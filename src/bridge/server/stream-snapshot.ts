import type { Standing } from './mirror-standing.js'
import type { Allowance } from './stream-pending.js'
import type { Piece } from './stream-wish.js'

/** Snapshots of so many variables need no turn. */
const SMALL = 256

/** The variables of a watch as they were at one moment, on their way to its receiver. */
export class Snapshot {
  readonly revision: number
  readonly #variables: readonly Standing[]
  #sent = 0
  #hasTurn: boolean
  #release: () => void = () => {}

  constructor(variables: readonly Standing[], revision: number) {
    this.#variables = variables
    this.revision = revision
    this.#hasTurn = variables.length <= SMALL
  }

  /** Whether it has to wait for its turn. */
  get waits(): boolean {
    return !this.#hasTurn
  }

  /** Whether all that is left to be said is that it is whole. */
  get isSent(): boolean {
    return this.#sent === this.#variables.length
  }

  /** @param request asks for a turn, and answers with what gives it back */
  awaitTurn(request: (granted: () => void) => () => void): void {
    this.#release = request(() => {
      this.#hasTurn = true
    })
  }

  /** As many of its variables as are allowed. */
  take({ events, bytes }: Allowance): Extract<Piece, { kind: 'snapshot' | 'short' }> {
    const variables = this.#variables
    const from = this.#sent
    const isCounted = bytes !== Number.POSITIVE_INFINITY
    let sum = 0
    let end = from
    for (; end < variables.length && end - from < events; end++) {
      sum += isCounted ? (variables[end] as Standing).body.length + 6 : 0
      if (sum > bytes) break
    }
    if (end === from && from < variables.length) return { kind: 'short', needs: { events: 1, bytes: sum } }
    this.#sent = end
    if (this.isSent) this.release()
    return { kind: 'snapshot', revision: this.revision, variables: variables.slice(from, end), last: this.isSent }
  }

  /** Gives its turn back; harmless when repeated. */
  release(): void {
    this.#release()
  }
}
