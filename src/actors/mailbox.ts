/** What happens to a message for a full mailbox. */
export type Overflow = 'drop-newest' | 'drop-oldest' | 'exit'

/** The most messages that wait, and what happens to more. Signals, replies, `DOWN` and `EXIT` are never dropped. */
export interface MailboxLimit {
  readonly limit: number
  readonly overflow: Overflow
}

/** No messages: shared by all mailboxes that have none. */
const none: unknown[] = []

/** The messages of one process that nobody has taken, oldest first. */
export class Mailbox {
  #items: unknown[] = none
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(message: unknown): void {
    if (this.#items === none) this.#items = [message]
    else this.#items.push(message)
  }

  shift(): unknown {
    const message = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    // What was taken is freed once it is all or half.
    if (this.#head === this.#items.length) this.#items = none
    else if (this.#head < 1024 || this.#head < this.#items.length / 2) return message
    else this.#items = this.#items.slice(this.#head)
    this.#head = 0
    return message
  }

  /** The position of the first message, from position `from` on, that `match` accepts; -1 when there is none. */
  find(match: ((message: unknown) => boolean) | undefined, from: number): number {
    const items = this.#items
    for (let i = this.#head + from; i < items.length; i++) {
      if (match === undefined || match(items[i])) return i - this.#head
    }
    return -1
  }

  /** Takes the message at a position; the others keep their order. */
  remove(position: number): unknown {
    return position === 0 ? this.shift() : this.#items.splice(this.#head + position, 1)[0]
  }

  /** Takes all. */
  drain(): unknown[] {
    const rest = this.#items.slice(this.#head)
    this.#items = none
    this.#head = 0
    return rest
  }
}
