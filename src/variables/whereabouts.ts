import { lagAt, linkAt, proofAt, type SharedLogMemory } from './shared-log.js'

/** Where the state of a context lives, and how it stands with that: for handles, in memory that they share. */
export class Whereabouts {
  readonly #words: Int32Array
  readonly #doubles: Float64Array

  constructor({ head }: SharedLogMemory) {
    this.#words = new Int32Array(head)
    this.#doubles = new Float64Array(head)
  }

  /** `local` in the context's own process; else behind a bridge, that is reached or is not. */
  get link(): 'local' | 'live' | 'stale' {
    return links[Atomics.load(this.#words, linkAt)] as 'local' | 'live' | 'stale'
  }

  set link(link: 'local' | 'live' | 'stale') {
    Atomics.store(this.#words, linkAt, links.indexOf(link))
  }

  /** How many revisions the session was known to be ahead of the copy, when something last came from there. */
  get lag(): number {
    return this.#doubles[lagAt] as number
  }

  set lag(revisions: number) {
    this.#doubles[lagAt] = revisions
  }

  /** When the other side last gave proof of life, in milliseconds since 1970. */
  get proofOfLife(): number {
    return this.#doubles[proofAt] as number
  }

  set proofOfLife(time: number) {
    this.#doubles[proofAt] = time
  }
}

const links = ['local', 'live', 'stale'] as const
