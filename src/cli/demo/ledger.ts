import type { ChangeMeta, VariableInfo } from '../../index.js'

/** What a watch has been told, against what there was to tell. */
export interface Tally {
  readonly delivered: number
  readonly expected: number
  /** Changes that were never told. */
  readonly lost: number
  /** Changes that were told twice, or after a later one. */
  readonly repeated: number
}

type Entry = Pick<ChangeMeta, 'initial' | 'version' | 'revision'>

/**
 * The books of a watch of all variables of a context. Versions count the changes of one variable and revisions the
 * commits of the context, neither with gaps: so whatever is lost or repeated shows.
 */
export class Ledger {
  readonly #versions = new Map<string, { readonly first: number; last: number }>()
  #revision = 0
  #delivered = 0
  #repeated = 0
  #skippedRevisions = 0

  /** Takes a notification. */
  enter(name: string, { initial, version, revision }: Entry): void {
    const known = this.#versions.get(name)
    if (initial && known === undefined) {
      this.#versions.set(name, { first: version, last: version })
      this.#revision = Math.max(this.#revision, revision)
    } else if (known === undefined || version <= known.last || revision < this.#revision) {
      this.#repeated++
    } else {
      known.last = version
      this.#delivered++
      this.#skippedRevisions += Math.max(0, revision - this.#revision - 1)
      this.#revision = revision
    }
  }

  get delivered(): number {
    return this.#delivered
  }

  /** The tally against the variables as they are, when every change up to `revision` should have been told. */
  balance(variables: readonly Pick<VariableInfo, 'name' | 'version' | 'revision'>[], revision: number): Tally {
    const present = new Map(variables.map((variable) => [variable.name, variable]))
    let expected = 0
    for (const [name, { first, last }] of this.#versions) {
      const info = present.get(name)
      expected += Math.max(last, info !== undefined && info.revision <= revision ? info.version : 0) - first
    }
    const lost = Math.max(expected - this.#delivered, this.#skippedRevisions)
    return { delivered: this.#delivered, expected, lost, repeated: this.#repeated }
  }
}
