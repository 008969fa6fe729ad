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
/** So much each may have, however much the others have. */
const SMALL = 64 * 1024
/** What a command takes besides its answer, about. */
const COMMAND_BYTES = 128

/** What one instance of a client has asked for, so that nothing is carried out twice, over however many streams it comes. */
export class ClientMemory {
  readonly lines = new Map<string, SessionLine>()
  /** Its stream of now. */
  stream: { replaced(): void } | undefined
  /** When it last had a stream. */
  leftAt = 0
  /** Whether it has no stream, and waits for one. */
  isAway = false
  /** What it is known by among all. */
  readonly key: string
  readonly #commands = new Map<number, Remembered>()
  readonly #charge: (bytes: number) => boolean
  #bytes = 0
  #isDropped = false
  /** Every command up to this one is over. */
  #forgotten: number
  #highest: number

  /**
   * @param charge counts bytes for all clients together, and says whether there is room for more
   * @param forgotten what an earlier memory of the same instance had taken
   */
  constructor(key: string, charge: (bytes: number) => boolean = () => true, forgotten = 0) {
    this.key = key
    this.#charge = charge
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
      if (!this.#charge(0) && this.#bytes > SMALL) return 'full'
      this.#count(COMMAND_BYTES)
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
    this.#count(answer.item.length)
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
      this.#count(-COMMAND_BYTES - ('answer' in known ? known.answer.item.length : 0))
    }
  }

  #count(bytes: number): void {
    if (this.#isDropped) return
    this.#bytes += bytes
    this.#charge(bytes)
  }

  /** It is remembered no more. */
  drop(): void {
    this.#count(-this.#bytes)
    this.#isDropped = true
  }
}
