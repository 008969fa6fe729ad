/** Which variables a watch is about. */
export interface Wanted {
  readonly names: ReadonlySet<string>
  readonly ids: ReadonlySet<string>
  readonly prefixes: readonly string[]
  readonly all: boolean
}

export function isWanted({ names, ids, prefixes, all }: Wanted, name: string, id: string): boolean {
  return all || names.has(name) || ids.has(id) || prefixes.some((prefix) => name.startsWith(prefix))
}
