import type { Process } from '../actors/process.js'
import type { BeamlineError } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import { nextContext } from './context-keeper.js'

/** Which process comes in the place of a context whose thread has died, for one thread. */
export class Succession {
  readonly #self: Process
  readonly #found: (context: Pid, next: Pid) => void
  readonly #asked = new Map<string, Promise<Pid | undefined>>()
  /** Who waits for a death, by the reference of the monitor. */
  readonly #mourners = new Map<string, () => void>()
  readonly #end: Promise<never>
  /** The process that asks is dead, and will hear of nothing: whoever waits is rejected. */
  readonly end: (error: BeamlineError) => void

  /** @param found hears of each before whoever has asked for it */
  constructor(self: Process, found: (context: Pid, next: Pid) => void) {
    this.#self = self
    this.#found = found
    let end = (_error: BeamlineError) => {}
    this.#end = new Promise((_, reject) => {
      end = reject
    })
    this.end = end
    // Perhaps nobody waits.
    this.#end.catch(() => {})
  }

  /** The process that is the context now, once it runs; none when the context has ended. */
  of(context: Pid): Promise<Pid | undefined> {
    const key = context.toString()
    const known = this.#asked.get(key)
    if (known !== undefined) return known
    const successor = Promise.race([this.#ask(context), this.#end]).finally(() => this.#asked.delete(key))
    this.#asked.set(key, successor)
    return successor
  }

  /** Its death is heard of here after its last words: no watch must go on before it has seen them. */
  async #ask(context: Pid): Promise<Pid | undefined> {
    await new Promise<void>((resolve) => this.#mourners.set(this.#self.monitor(context).toString(), resolve))
    const next = await nextContext(this.#self, context)
    if (next !== undefined) this.#found(context, next)
    return next
  }

  /** A `DOWN` has come; says whether it was this that waited for it. */
  heard(ref: Ref): boolean {
    const mourner = this.#mourners.get(ref.toString())
    this.#mourners.delete(ref.toString())
    mourner?.()
    return mourner !== undefined
  }
}
