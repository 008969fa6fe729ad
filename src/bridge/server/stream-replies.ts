import type { FrameBuilder } from './stream-frame.js'

interface HeldReply {
  /** It speaks of the commits of its session up to this one. */
  readonly revision: number
  readonly item: Uint8Array
}

/** Answers that wait to be written, each behind the events it speaks of. */
export class HeldReplies {
  readonly #bySession = new Map<string, HeldReply[]>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add(session: string, reply: HeldReply): void {
    const held = this.#bySession.get(session)
    if (held === undefined) this.#bySession.set(session, [reply])
    else held.push(reply)
    this.#count++
  }

  clear(): void {
    this.#bySession.clear()
    this.#count = 0
  }

  /**
   * Puts into a frame what may be told.
   * @param told how far each session has been told of which something can be told, but has not been
   */
  put(frame: FrameBuilder, told: ReadonlyMap<string, number>, most: number): void {
    for (const [session, held] of this.#bySession) {
      const through = told.get(session) ?? Number.POSITIVE_INFINITY
      let count = 0
      for (const { revision, item } of held) {
        if (revision > through) break
        if (!frame.isEmpty && frame.length + item.length + 16 > most) break
        frame.item(item)
        count++
      }
      this.#count -= count
      if (count === held.length) this.#bySession.delete(session)
      else if (count > 0) held.splice(0, count)
    }
  }
}
