import type { Validator } from '../checker.js'

/** The value before a change is the one that was told before it. */
export const previousValue: Validator = ({ watches }, _log, fault) => {
  for (const { client, id, every, items, carried } of watches) {
    if (!every) continue
    const values = new Map(Object.entries(carried).map(([name, { value }]) => [name, value]))
    for (const item of items) {
      if (item.kind === 'resync') values.clear()
      if (item.kind !== 'change') continue
      const { name, previous, value, initial, resync, deleted } = item
      if (initial && previous !== undefined)
        fault(`${client}/${id}: the initial value of ${name} has ${String(previous)} before it`)
      if (!initial && !resync && values.has(name) && values.get(name) !== previous)
        fault(
          `${client}/${id}: before ${name} = ${String(value)} it was told ${String(values.get(name))}, not ${String(previous)}`,
        )
      if (deleted) values.delete(name)
      else values.set(name, value)
    }
  }
}
