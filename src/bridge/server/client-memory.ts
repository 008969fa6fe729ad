import type { SessionLine } from './session-line.js'

/** An answer, as it may have to be given again. */
export interface Answer {
  readonly session: string
  readonly revision: number
  readonly item: Uint8Array
}

/** Who waits for answers. */
export interface Answered {
  answer(answer: Answer): void
}

/** A command: answered, or being carried out for those who sent it. */
type Remembered = { readonly answer: Answer } | { readonly asked: Answered[] }

/** What becomes of a command that has come. */
export type Reception =
  /** It is new, and to be carried out. */
  | 'new'
  /** It was sent before: its answer is given again, now or as soon as there is one. */
  | 'known'
  /** It was answered, and the client said so, or was away for too long. */
  | 'forgotten'
  /** So much is unacknowledged that another answer could not be kept. */
  | 'full'

const MOST_ANSWERS = 65_536
const MOST_BYTES = 64 * 1024 * 1024

/** What one instance of a client has asked for, so that nothing is carried out twice, over however many streams it comes. */
export class ClientMemory {
  readonly lines = new Map<string, SessionLine>()
  /** Its stream of now. */
  stream: { replaced(): void } | undefined
  /** When it last had a stream. */
  leftAt = 0
  readonly #commands = new Map<number, Remembered>()
  #bytes = 0
  /** Every command up to this one is over. */
  #forgotten: number
  #highest: number

  /** @param forgotten what an earlier memory of the same instance had taken */
  constructor(forgotten = 0) {
    this.#forgotten = this.#highest = forgotten
  }

  /** The highest command that it knows of. */
  get highest(): number {
    return this.#highest
  }

  /** Answers that the client has not acknowledged, and commands that are under way. */
  get size(): number {
    return this.#commands.size
  }

  receive(id: number, by: Answered): Reception {
    if (id <= this.#forgotten) return 'forgotten'
    const known = this.#commands.get(id)
    if (known === undefined) {
      if (this.#commands.size >= MOST_ANSWERS || this.#bytes >= MOST_BYTES) return 'full'
      this.#commands.set(id, { asked: [by] })
      this.#highest = Math.max(this.#highest, id)
      return 'new'
    }
    if ('answer' in known) by.answer(known.answer)
    else known.asked.push(by)
    return 'known'
  }

  /** A command has been carried out. */
  done(id: number, answer: Answer): void {
    const known = this.#commands.get(id)
    if (known === undefined || 'answer' in known) return
    this.#commands.set(id, { answer })
    this.#bytes += answer.item.length
    for (const by of known.asked) by.answer(answer)
  }

  /** The client has every answer up to this one. */
  acknowledge(through: number): void {
    if (through <= this.#forgotten) return
    this.#forgotten = through
    this.#highest = Math.max(this.#highest, through)
    for (const [id, known] of this.#commands) {
      // They come in the order of their numbers, but for those that were sent again.
      if (id > through) continue
      this.#commands.delete(id)
      if ('answer' in known) this.#bytes -= known.answer.item.length
    }
  }
}

const AWAY_MS = 10 * 60 * 1000
const MOST_AWAY = 10_000
const MOST_GONE = 100_000

/** All instances of clients that a server remembers. */
export class ClientMemories {
  readonly #now: () => number
  readonly #all = new Map<string, ClientMemory>()
  /** Those that were away for too long, by the highest command that had come from them: it may have been carried out. */
  readonly #gone = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  get count(): number {
    return this.#all.size
  }

  /** @param caller who it is by its token: what one was answered is not for another who says to be the same client */
  of(caller: string, client: string, instance: string): ClientMemory {
    this.sweep()
    const key = JSON.stringify([caller, client, instance])
    const known = this.#all.get(key) ?? new ClientMemory(this.#gone.get(key))
    this.#gone.delete(key)
    // Behind all others, as the one that came last.
    this.#all.delete(key)
    this.#all.set(key, known)
    return known
  }

  /** Lets go of those that have been away for too long. */
  sweep(): void {
    let excess = this.#all.size - MOST_AWAY
    const now = this.#now()
    for (const [key, memory] of this.#all) {
      if (memory.stream !== undefined) continue
      if (now - memory.leftAt < AWAY_MS && excess <= 0) break
      excess--
      this.#all.delete(key)
      if (memory.highest > 0) this.#gone.set(key, memory.highest)
    }
    for (const key of this.#gone.keys()) {
      if (this.#gone.size <= MOST_GONE) break
      this.#gone.delete(key)
    }
  }
}
