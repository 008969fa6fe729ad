import type { Clock } from '../threads/clock.js'
import type { Cell } from './cell.js'
import type { Host } from './host.js'

/**
 * Asks every process of a thread to end, as their parents would (`shutdown`), and kills what is left after `timeout`
 * milliseconds. Resolves when all are gone.
 * @param spared processes that stay
 */
export function shutdown(
  host: Host,
  timeout: number,
  clock: Clock,
  spared: (cell: Cell) => boolean = () => false,
): Promise<void> {
  host.refuseNew()
  const left = () => [...host.cells.values()].filter((cell) => !spared(cell))
  for (const cell of left()) cell.receiveExit(cell.birth.parent ?? cell.pid, 'shutdown', false)
  if (!anyLeft(host, spared)) return Promise.resolve()
  return new Promise((resolve) => {
    const { onGone } = host
    const timer = clock.setTimeout(() => {
      for (const cell of left()) cell.exit('killed')
    }, timeout)
    host.onGone = (pid, reason) => {
      onGone?.(pid, reason)
      if (anyLeft(host, spared)) return
      clock.clearTimeout(timer)
      host.onGone = onGone
      resolve()
    }
  })
}

/** Asked at every exit: it must not look at all that are left. */
function anyLeft(host: Host, spared: (cell: Cell) => boolean): boolean {
  for (const cell of host.cells.values()) if (!spared(cell)) return true
  return false
}
