import { timedOut } from '../actors/calls.js'
import type { Process } from '../actors/process.js'

/** What one handle wants of a context that is being started again: done in order once it runs. */
export class Outage {
  readonly #owner: Process
  #waiting: Set<() => void> | undefined

  constructor(owner: Process) {
    this.#owner = owner
  }

  /** Whether something waits, which comes before whatever is asked now. */
  get isOn(): boolean {
    return this.#waiting !== undefined
  }

  /**
   * Does something when `end` has settled, which is called for the first that waits.
   * @param work is told how many milliseconds are left
   * @throws BeamlineError CALL_TIMEOUT when they are over before
   */
  wait<T>(end: () => Promise<void>, timeout: number, work: (left: number) => T): Promise<T> {
    const { clock } = this.#owner.system
    if (this.#waiting === undefined) {
      this.#waiting = new Set()
      void this.#endAfter(end)
    }
    const waiting = this.#waiting
    return new Promise((resolve, reject) => {
      const begun = clock.now()
      const late = () => {
        waiting.delete(go)
        reject(timedOut('a request to a context that is being started again', timeout))
      }
      const timer = Number.isFinite(timeout) ? clock.setTimeout(late, timeout) : undefined
      const go = () => {
        if (timer !== undefined) clock.clearTimeout(timer)
        try {
          resolve(work(Math.max(0, timeout - (clock.now() - begun))))
        } catch (error) {
          reject(error)
        }
      }
      waiting.add(go)
    })
  }

  async #endAfter(end: () => Promise<void>): Promise<void> {
    // Why is told by whatever is asked then.
    await end().catch(() => {})
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const go of waiting) go()
  }
}
