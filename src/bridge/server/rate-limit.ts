import type { Metadata } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import type { Clock } from '../../threads/clock.js'
import { hashOf } from './server-options.js'
import type { Bucket, Rates } from './service-deps.js'
import { tokenIn } from './token-guard.js'

const unlimited: Bucket = { take() {}, owe() {} }

/** Nobody is counted. */
export const noRates: Rates = { of: () => unlimited }

/** Callers of whom none has been heard for long enough are forgotten when there are so many. */
const MANY = 10_000

/** Fills at a steady rate up to one second's worth, or one call. */
class TokenBucket implements Bucket {
  readonly #clock: Clock
  readonly #rate: number
  readonly #size: number
  #level: number
  #at: number

  constructor(clock: Clock, rate: number) {
    this.#clock = clock
    this.#rate = rate
    this.#size = Math.max(1, rate)
    this.#level = this.#size
    this.#at = clock.now()
  }

  get isFull(): boolean {
    this.#fill()
    return this.#level >= this.#size
  }

  take(calls = 1): void {
    this.#fill()
    // What asks for more than fits is let in when nothing else was, and waits for it afterwards.
    const needed = Math.min(calls, this.#size)
    if (this.#level >= needed) {
      this.#level -= calls
      return
    }
    const retryAfterMs = ((needed - this.#level) / this.#rate) * 1000
    const text = `too many calls: this server takes ${this.#rate} a second from each caller`
    throw new BeamlineError('EXHAUSTED', text, { details: { limit: 'rate', retryAfterMs } })
  }

  owe(calls: number): void {
    this.#fill()
    this.#level -= Math.max(0, calls)
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#level = Math.min(this.#size, this.#level + ((now - this.#at) / 1000) * this.#rate)
    this.#at = now
  }
}

/** Counts the calls of each token or, where there are none, of each address. */
export class RateLimit implements Rates {
  readonly #clock: Clock
  readonly #rate: number
  readonly #byToken: boolean
  readonly #buckets = new Map<string, TokenBucket>()

  /** @param byToken whether tokens have been checked: else anybody could say another with each call */
  constructor(clock: Clock, rate: number, byToken: boolean) {
    this.#clock = clock
    this.#rate = rate
    this.#byToken = byToken
  }

  of(metadata: Metadata | undefined, peer: string): Bucket {
    const token = this.#byToken && metadata !== undefined ? tokenIn(metadata) : undefined
    const key = token === undefined ? `at ${peer.replace(/:\d+$/, '')}` : hashOf(token).toString('base64')
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    if (this.#buckets.size >= MANY) this.#forget()
    const fresh = new TokenBucket(this.#clock, this.#rate)
    this.#buckets.set(key, fresh)
    return fresh
  }

  #forget(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(key)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size >= MANY && oldest !== undefined) this.#buckets.delete(oldest)
  }
}
