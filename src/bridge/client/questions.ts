import type { From } from '../../actors/messages.js'
import type { BeamlineError } from '../../errors.js'
import type { Copy } from '../../variables/upstream.js'
import type { FromBridge, SessionCommand } from './messages.js'

/** Something that a context has asked its session. */
export interface Asked {
  readonly command: SessionCommand
  /** Who is answered, unless it is a matter of the context's own. */
  readonly from: From | undefined
  /** Of a matter of the context's own, which changes nothing: what is done then. */
  readonly go?: (error: BeamlineError | undefined, answer: unknown) => void
}

/** An answer that waits for the copy to take in what it speaks of. */
type Reply = FromBridge & { kind: 'reply' }

/** What a context has asked its session, until it is answered and the copy has what the answer speaks of. */
export class Questions {
  readonly #copy: Copy
  /** By the number under which it was asked. */
  readonly #asked = new Map<number, Asked>()
  #last = 0
  #held: Reply[] = []

  constructor(copy: Copy) {
    this.#copy = copy
  }

  /** @returns its number */
  add(asked: Asked): number {
    this.#asked.set(++this.#last, asked)
    return this.#last
  }

  reply(reply: Reply): void {
    if (reply.revision > this.#copy.revision) this.#held.push(reply)
    else this.#answer(reply)
  }

  /** The copy has come to a revision. */
  release(revision: number): void {
    if (this.#held.length === 0) return
    const ready = this.#held.filter((reply) => reply.revision <= revision)
    this.#held = this.#held.filter((reply) => reply.revision > revision)
    for (const reply of ready) this.#answer(reply)
  }

  #answer({ seq, answer, error }: Reply): void {
    const asked = this.#asked.get(seq)
    if (asked === undefined) return
    this.#asked.delete(seq)
    this.settle(asked, answer, error)
  }

  settle({ command, from, go }: Asked, answer: unknown, error: BeamlineError | undefined): void {
    if (go !== undefined) return go(error, answer)
    if (command.op === 'define' && error !== undefined) this.#copy.expect(command.name, undefined)
    // A variable has an id of its own here.
    const here = command.op === 'define' && error === undefined ? this.#copy.described(command.name) : undefined
    this.#copy.answer(from, here ?? answer, error)
  }

  /** No answer will come to what has been asked. */
  drain(): Asked[] {
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    this.#held = []
    return asked
  }
}
