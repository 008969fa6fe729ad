import type { History, Operation } from './history.js'

/** All commits of a run that anybody knows of, from answers and from watches. */
export class EventLog {
  /** Who wrote a value, by {@link keyOf}. */
  readonly writers = new Map<string, Operation>()
  /** What a revision wrote, by name. Of many incarnations nothing is known. */
  readonly revisions = new Map<number, Map<string, unknown>>()
  /** Values that do not agree with what another said of the same. */
  readonly disputes: string[] = []
  /** Each revision in which a name was written, in order. */
  readonly #byName = new Map<string, number[]>()
  readonly #told = new Map<string, { readonly version: number; readonly revision: number; readonly by: string }>()

  constructor(history: History) {
    const one = history.incarnations === 'one'
    for (const operation of history.operations) {
      const { writes, revision, versions, client } = operation
      for (const [name, value] of Object.entries(writes)) {
        const key = keyOf(name, value)
        if (this.writers.has(key))
          throw new Error(`${name} = ${String(value)} was written twice: values must be unique`)
        this.writers.set(key, operation)
        const version = versions?.[name]
        if (revision !== undefined && version !== undefined)
          this.#note(name, value, version, revision, `the answer to ${client}`, one)
      }
    }
    for (const { client, id, items, carried } of history.watches) {
      const by = `${client}/${id}`
      for (const [name, { value, version, revision }] of Object.entries(carried))
        this.#note(name, value, version, revision, by, one)
      for (const item of items)
        if (item.kind === 'change' && !item.deleted)
          this.#note(item.name, item.value, item.version, item.revision, by, one)
    }
    for (const [revision, values] of [...this.revisions].sort(([a], [b]) => a - b))
      for (const name of values.keys()) {
        const list = this.#byName.get(name)
        if (list === undefined) this.#byName.set(name, [revision])
        else list.push(revision)
      }
  }

  /** The revisions after `from`, through `to`, that wrote any of the names. */
  between(names: readonly string[], from: number, to: number): number[] {
    return names.flatMap((name) => {
      const all = this.#byName.get(name) ?? []
      return all.slice(firstAfter(all, from), firstAfter(all, to))
    })
  }

  #note(name: string, value: unknown, version: number, revision: number, by: string, one: boolean): void {
    const key = keyOf(name, value)
    const known = this.#told.get(key)
    if (known === undefined) this.#told.set(key, { version, revision, by })
    else if (known.version !== version || known.revision !== revision)
      this.disputes.push(
        `${name} = ${String(value)} was version ${known.version} in revision ${known.revision} for ${known.by}, and version ${version} in revision ${revision} for ${by}`,
      )
    if (!one) return
    const values = this.revisions.get(revision) ?? new Map<string, unknown>()
    this.revisions.set(revision, values)
    if (!values.has(name)) values.set(name, value)
    else if (values.get(name) !== value)
      this.disputes.push(
        `revision ${revision} wrote ${name} = ${String(values.get(name))}, and for ${by} ${String(value)}`,
      )
  }
}

export const keyOf = (name: string, value: unknown): string => `${name}=${typeof value}:${String(value)}`

function firstAfter(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
