import type { Validator } from '../checker.js'

/** Progress through a revision is told after all its changes, never before. */
export const bookmarkable: Validator = ({ watches, incarnations }, log, fault) => {
  for (const { client, id, names, every, items } of watches) {
    let through = 0
    /** The last revision that was told; before the first, nothing is known of where it began. */
    let told: number | undefined
    for (const item of items) {
      if (item.kind === 'resync') {
        through = 0
        told = item.lostTo
      } else if (item.kind === 'change') {
        if (item.revision <= through && !item.resync && !item.initial)
          fault(`${client}/${id}: revision ${item.revision} after progress through ${through}`)
        told = Math.max(told ?? 0, item.revision)
      } else if (item.kind === 'progress') {
        if (item.through < through) fault(`${client}/${id}: progress through ${item.through} after ${through}`)
        const [missing] =
          every && incarnations === 'one' && told !== undefined ? log.between(names, told, item.through) : []
        if (missing !== undefined)
          fault(`${client}/${id}: progress through ${item.through}, and ${missing} was not told`)
        through = item.through
      }
    }
  }
}
