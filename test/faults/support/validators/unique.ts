import type { Validator } from '../checker.js'
import { keyOf } from '../event-log.js'

/** No watch is told a change twice, and no write is carried out twice. */
export const unique: Validator = ({ watches }, log, fault) => {
  for (const text of log.disputes) fault(text)
  for (const { client, id, items, carried } of watches) {
    const seen = new Set(Object.entries(carried).map(([name, { value }]) => keyOf(name, value)))
    for (const item of items) {
      if (item.kind !== 'change' || item.deleted) continue
      const key = keyOf(item.name, item.value)
      if (seen.has(key) && !item.resync) fault(`${client}/${id}: ${item.name} = ${String(item.value)} was told twice`)
      seen.add(key)
    }
  }
}
