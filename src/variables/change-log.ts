import { BeamlineError } from '../errors.js'
import type { Change } from './change.js'

/** The latest changes of a context, oldest first, so that a watch may begin where another ended. */
export class ChangeLog {
  readonly #limit: number
  #changes: Change[] = []
  /** The highest revision of which something is no longer kept. */
  #compacted = 0

  /** @param limit how many changes are kept at least; up to twice as many are */
  constructor(limit: number) {
    this.#limit = limit
  }

  append(changes: readonly Change[]): void {
    this.#changes.push(...changes)
    if (this.#changes.length <= 2 * this.#limit) return
    const cut = this.#changes.length - this.#limit
    this.#compacted = (this.#changes[cut - 1] as Change).meta.revision
    this.#changes = this.#changes.slice(cut).filter((change) => change.meta.revision > this.#compacted)
  }

  /** @throws BeamlineError COMPACTED when changes after `revision` are no longer kept */
  since(revision: number, names: ReadonlySet<string>): readonly Change[] {
    if (revision < this.#compacted) {
      const text = `changes after revision ${revision} are no longer all kept: begin at ${this.#compacted} or later`
      throw new BeamlineError('COMPACTED', text, { details: { revision, compacted: this.#compacted } })
    }
    return this.#changes.filter((change) => change.meta.revision > revision && names.has(change.name))
  }
}
