/** What happens to a message for a full mailbox. */
export type Overflow = 'drop-newest' | 'drop-oldest' | 'exit'

/** The most messages that wait, and what happens to more. Signals, replies, `DOWN` and `EXIT` are never dropped. */
export interface MailboxLimit {
  readonly limit: number
  readonly overflow: Overflow
}

/** The messages of one process that nobody has taken, oldest first. */
export class Mailbox {
  #items: unknown[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(message: unknown): void {
    this.#items.push(message)
  }

  shift(): unknown {
    const message = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length || this.#head > 1024) this.#compact()
    return message
  }

  /**
   * Takes the first message from position `from` on that `match` accepts; the others keep their order.
   * @returns whether one was found, and it
   */
  take(match: (message: unknown) => boolean, from: number): { readonly message: unknown } | undefined {
    for (let i = this.#head + from; i < this.#items.length; i++) {
      const message = this.#items[i]
      if (!match(message)) continue
      if (i === this.#head) this.shift()
      else this.#items.splice(i, 1)
      return { message }
    }
    return undefined
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
