import type { Validator } from '../checker.js'

/** A watch that is taken up again goes on where it was; a value that makes up for lost ones was announced. */
export const resumable: Validator = ({ watches, incarnations }, log, fault) => {
  for (const { client, id, names, every, items } of watches) {
    let announced = false
    let resumed: number | undefined
    for (const item of items) {
      if (item.kind === 'resume') resumed = item.through
      if (item.kind === 'resync') {
        announced = true
        resumed = undefined
      }
      if (item.kind !== 'change') continue
      if (item.resync && !announced)
        fault(
          `${client}/${id}: ${item.name} of revision ${item.revision} makes up for changes that nobody announced as lost`,
        )
      if (!item.resync) announced = false
      if (resumed === undefined || item.resync) continue
      if (item.revision <= resumed)
        fault(`${client}/${id}: revision ${item.revision} after it was taken up behind ${resumed}`)
      else if (every && incarnations === 'one') {
        const [missing] = log.between(names, resumed, item.revision - 1)
        if (missing !== undefined)
          fault(`${client}/${id}: taken up behind ${resumed} with ${item.revision}, and ${missing} is missing`)
      }
      resumed = undefined
    }
  }
}
