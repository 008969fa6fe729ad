import { createHash } from 'node:crypto'
import type { Clock, Timer } from '../../threads/clock.js'
import { ClientMemory } from './client-memory.js'

const AWAY_MS = 10 * 60 * 1000
const MOST_AWAY = 10_000
const MOST_GONE = 100_000
/** Of the answers of all clients together. */
const MOST_BYTES = 256 * 1024 * 1024

/** All instances of clients that a server remembers. */
export class ClientMemories {
  readonly #clock: Clock
  readonly #most: number
  /** Those that are away in the order in which they went. */
  readonly #all = new Map<string, ClientMemory>()
  /** Those that were away for too long, by the highest command that had come from them: it may have been carried out. */
  readonly #gone = new Map<string, number>()
  #bytes = 0
  #away = 0
  #timer: Timer | undefined
  #isClosed = false

  constructor(clock: Clock, mostBytes = MOST_BYTES) {
    this.#clock = clock
    this.#most = mostBytes
  }

  get count(): number {
    return this.#all.size
  }

  /** What is remembered of all, about. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * What is remembered of a client that has come; an older stream of it ends.
   * @param caller who it is by its token: what one was answered is not for another who says to be the same client
   */
  of(caller: string, client: string, instance: string): ClientMemory {
    const key = createHash('sha256')
      .update(JSON.stringify([caller, client, instance]))
      .digest('base64')
    this.#all.get(key)?.stream?.replaced()
    const known = this.#all.get(key) ?? this.#made(key)
    if (known.isAway) this.#away--
    known.isAway = false
    this.#settle()
    return known
  }

  #made(key: string): ClientMemory {
    const made = new ClientMemory(key, (bytes) => this.#charge(bytes), this.#gone.get(key))
    this.#gone.delete(key)
    this.#all.set(key, made)
    return made
  }

  /** Its stream has ended. */
  left(memory: ClientMemory): void {
    const { key } = memory
    memory.stream = undefined
    memory.leftAt = this.#clock.now()
    for (const line of memory.lines.values()) if (line.isIdle && line.defining.size === 0) memory.lines.delete(line.id)
    if (this.#all.get(key) !== memory) return
    if (!memory.isAway) this.#away++
    memory.isAway = true
    this.#all.delete(key)
    this.#all.set(key, memory)
    this.#sweep()
  }

  /** @returns whether there is room for what is remembered of one that has so much already */
  #charge(bytes: number): boolean {
    this.#bytes += bytes
    if (bytes > 0 && this.#bytes > this.#most) this.#sweep()
    return this.#bytes <= this.#most
  }

  /** Lets go of those that have been away for too long, and of others when there is too much. */
  #sweep(): void {
    const now = this.#clock.now()
    for (const [key, memory] of this.#all) {
      if (this.#away === 0) break
      if (!memory.isAway) continue
      const isTooMuch = this.#away > MOST_AWAY || this.#bytes > this.#most
      if (now - memory.leftAt < AWAY_MS && !isTooMuch) break
      this.#forget(key, memory)
    }
    this.#settle()
  }

  #forget(key: string, memory: ClientMemory): void {
    this.#all.delete(key)
    this.#away--
    memory.drop()
    if (memory.highest > 0) this.#gone.set(key, memory.highest)
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= MOST_GONE) break
      this.#gone.delete(oldest)
    }
  }

  /** Looks again as long as somebody is away. */
  #settle(): void {
    if (this.#away === 0) return this.#stopTimer()
    if (this.#isClosed || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#sweep()
    }, AWAY_MS / 2)
  }

  /** Looks no more after those that are away. */
  close(): void {
    this.#isClosed = true
    this.#stopTimer()
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
