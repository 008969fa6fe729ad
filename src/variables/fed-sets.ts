import type { CommitEvent } from './session-state.js'

/** Values that were set, each in a revision of its own, of which nothing was said: most of what a copy is told. */
export interface FedSets {
  /** The variables, each named once: number, id, name. */
  readonly variables: readonly (readonly [number: number, id: string, name: string])[]
  /** The number, revision, version and timestamp of each set. A list of numbers travels at a tenth of what as many objects take. */
  readonly facts: readonly number[]
  readonly values: readonly unknown[]
  readonly previous: readonly unknown[]
}

const FACTS = 4

/** Sets on their way into columns. */
export class SetColumns {
  #variables: [number, string, string][] = []
  readonly #known = new Set<number>()
  #facts: number[] = []
  #values: unknown[] = []
  #previous: unknown[] = []

  get isEmpty(): boolean {
    return this.#values.length === 0
  }

  add(set: Omit<CommitEvent, 'op' | 'said' | 'more' | 'info'>): void {
    const { number, id, name, revision, version, timestamp, value, previous } = set
    if (!this.#known.has(number)) {
      this.#known.add(number)
      this.#variables.push([number, id, name])
    }
    this.#facts.push(number, revision, version, timestamp)
    this.#values.push(value)
    this.#previous.push(previous)
  }

  take(): FedSets {
    const sets = {
      variables: this.#variables,
      facts: this.#facts,
      values: this.#values,
      previous: this.#previous,
    }
    this.#variables = []
    this.#known.clear()
    this.#facts = []
    this.#values = []
    this.#previous = []
    return sets
  }
}

export function eventsIn({ variables, facts, values, previous }: FedSets): CommitEvent[] {
  const about = new Map(variables.map(([number, id, name]) => [number, { id, name }]))
  return values.map((value, index) => {
    const at = FACTS * index
    const number = facts[at] as number
    const { id, name } = about.get(number) as { id: string; name: string }
    return {
      op: 'set',
      number,
      id,
      name,
      value,
      previous: previous[index],
      said: undefined,
      revision: facts[at + 1] as number,
      version: facts[at + 2] as number,
      timestamp: facts[at + 3] as number,
      more: false,
    }
  })
}
