import type { Validator } from '../checker.js'
import { type EventLog, keyOf } from '../event-log.js'
import type { Told, WatchHistory, WatchItem } from '../history.js'

type ChangeItem = WatchItem & { kind: 'change' }

/** What was written together is told together, and present values are of one moment. */
export const atomic: Validator = ({ watches }, log, fault) => {
  for (const watch of watches) {
    const tell = (text: string) => fault(`${watch.client}/${watch.id}: ${text}`)
    const told = new Map<string, Told>(Object.entries(watch.carried))
    for (const group of groupsOf(watch)) {
      for (const item of group) {
        if (item.deleted) told.delete(item.name)
        else told.set(item.name, item)
      }
      const [first] = group as [ChangeItem]
      if (!watch.every || first.initial || first.resync) momentOf(group, told, watch, log, tell)
      else wholeOf(group, watch, log, tell)
    }
  }
}

/** Changes of one revision that follow each other; present values are one group. */
function groupsOf({ items }: WatchHistory): ChangeItem[][] {
  const groups: ChangeItem[][] = []
  let last: ChangeItem | undefined
  for (const item of items) {
    if (item.kind !== 'change') {
      if (item.kind === 'resync') last = undefined
      continue
    }
    const isPresent = item.initial || item.resync
    const goesOn =
      last !== undefined &&
      isPresent === (last.initial || last.resync) &&
      (isPresent || item.revision === last.revision)
    if (goesOn) groups.at(-1)?.push(item)
    else groups.push([item])
    last = item
  }
  return groups
}

function wholeOf(group: ChangeItem[], watch: WatchHistory, log: EventLog, fault: (text: string) => void): void {
  const [first] = group as [ChangeItem]
  const writer = log.writers.get(keyOf(first.name, first.value))
  if (writer === undefined) return
  for (const { name, value } of group)
    if (log.writers.get(keyOf(name, value)) !== writer)
      fault(`revision ${first.revision} mixes writes: ${name} = ${String(value)} is of another one`)
  const names = new Set(group.map(({ name }) => name))
  for (const name of Object.keys(writer.writes))
    if (watch.names.includes(name) && !names.has(name))
      fault(`revision ${first.revision} has ${[...names].join(', ')} and not ${name}, which was written with it`)
}

function momentOf(
  group: ChangeItem[],
  told: ReadonlyMap<string, Told>,
  watch: WatchHistory,
  log: EventLog,
  fault: (text: string) => void,
): void {
  // A conflating watch may be between two changes of one moment: only present values come all at once.
  if (!group[0]?.initial && !group[0]?.resync) return
  for (const { name, value, revision } of group) {
    const writer = log.writers.get(keyOf(name, value))
    if (writer === undefined) continue
    for (const [other, written] of Object.entries(writer.writes)) {
      if (!watch.names.includes(other)) continue
      const present = told.get(other)
      if (present !== undefined && present.value !== written && present.revision < revision)
        fault(`present values have ${name} of revision ${revision}, and ${other} of ${present.revision} from before it`)
    }
  }
}
