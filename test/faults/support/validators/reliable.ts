import type { Validator } from '../checker.js'
import { keyOf } from '../event-log.js'
import { type History, toldBy, type WatchHistory } from '../history.js'

/** Nothing is left out, nothing was never written, and all end on the same. */
export const reliable: Validator = (history, log, fault) => {
  for (const watch of history.watches) {
    const tell = (text: string) => fault(`${watch.client}/${watch.id}: ${text}`)
    for (const item of watch.items) {
      if (item.kind !== 'change' || item.deleted) continue
      const writer = log.writers.get(keyOf(item.name, item.value))
      const isOld = item.initial || item.resync
      if (writer === undefined ? !isOld : writer.outcome === 'refused')
        tell(`${item.name} = ${String(item.value)} was ${writer === undefined ? 'never written' : 'refused'}`)
    }
    if (watch.every) {
      chainOf(watch, tell)
      answered(history, watch, tell)
    }
    ending(history, watch, tell)
  }
}

/** The versions of a name follow each other, except behind an announcement. */
function chainOf({ items, carried }: WatchHistory, fault: (text: string) => void): void {
  const versions = new Map(Object.entries(carried).map(([name, { version }]) => [name, version]))
  for (const item of items) {
    if (item.kind === 'resync') versions.clear()
    if (item.kind !== 'change') continue
    const before = versions.get(item.name)
    if (item.deleted) {
      versions.delete(item.name)
      continue
    }
    if (before !== undefined && !item.resync && !item.initial && item.version > before + 1)
      fault(`${item.name}: version ${item.version} follows ${before}`)
    versions.set(item.name, item.version)
  }
}

/** What was asked after the watch began, and was answered, was told, or is older than a value that was there. */
function answered({ operations, incarnations }: History, watch: WatchHistory, fault: (text: string) => void): void {
  const covered = new Map<string, number>()
  const seen = new Set<string>()
  let lost = 0
  for (const item of watch.items) {
    // After an announcement that a range is lost, only the chain of versions says what had to come.
    if (item.kind === 'resync')
      lost = item.lostTo < item.lostFrom ? Number.POSITIVE_INFINITY : Math.max(lost, item.lostTo)
    if (item.kind !== 'change') continue
    seen.add(keyOf(item.name, item.value))
    if (item.initial || item.resync) covered.set(item.name, Math.max(covered.get(item.name) ?? 0, item.revision))
  }
  for (const { client, outcome, invoked, writes, revision = 0 } of operations) {
    if (outcome !== 'ok' || invoked < watch.begun || revision <= lost) continue
    // When a log is lost, what one client was answered another may never hear of.
    if (incarnations === 'many' && client !== watch.client) continue
    for (const [name, value] of Object.entries(writes))
      if (watch.names.includes(name) && revision > (covered.get(name) ?? 0) && !seen.has(keyOf(name, value)))
        fault(`${name} = ${String(value)} of revision ${revision} was answered and not told`)
  }
}

function ending({ final }: History, watch: WatchHistory, fault: (text: string) => void): void {
  if (final === undefined) return
  const told = toldBy(watch)
  for (const name of watch.names) {
    const last = told[name]
    const right = final[name]
    if (last === undefined && right !== undefined && watch.items.every((item) => item.kind !== 'change')) continue
    if (last?.value !== right?.value || last?.version !== right?.version)
      fault(
        `${name} ended as ${String(right?.value)}, version ${right?.version}, and it was told last ${String(last?.value)}, version ${last?.version}`,
      )
  }
}
