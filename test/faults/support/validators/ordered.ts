import type { Validator } from '../checker.js'
import type { Operation } from '../history.js'

/** Changes come in the order of revisions and versions; an operation that began after another ended has a later revision. */
export const ordered: Validator = ({ watches, operations, incarnations }, _log, fault) => {
  for (const { client, id, items, carried } of watches) {
    const versions = new Map(Object.entries(carried).map(([name, { version }]) => [name, version]))
    let revision = 0
    for (const item of items) {
      if (item.kind === 'resync') {
        revision = 0
        versions.clear()
      }
      if (item.kind !== 'change' || item.initial || item.resync) continue
      if (item.revision < revision) fault(`${client}/${id}: revision ${item.revision} after ${revision}`)
      revision = item.revision
      const before = versions.get(item.name)
      if (before !== undefined && item.version < before)
        fault(`${client}/${id}: version ${item.version} of ${item.name} after ${before}`)
      if (item.deleted) versions.delete(item.name)
      else versions.set(item.name, item.version)
    }
  }
  if (incarnations === 'one') realTime(operations, fault)
}

function realTime(operations: readonly Operation[], fault: (text: string) => void): void {
  const done = operations.filter(({ outcome }) => outcome === 'ok') as Required<Operation>[]
  const byEnd = [...done].sort((a, b) => a.returned - b.returned)
  let highest: Required<Operation> | undefined
  let ended = 0
  for (const operation of [...done].sort((a, b) => a.invoked - b.invoked)) {
    for (let next = byEnd[ended]; next !== undefined && next.returned < operation.invoked; next = byEnd[ended]) {
      if (highest === undefined || next.revision > highest.revision) highest = next
      ended += 1
    }
    if (highest !== undefined && operation.revision <= highest.revision)
      fault(
        `${operation.client} wrote revision ${operation.revision} after ${highest.client} had been answered ${highest.revision}`,
      )
  }
}
