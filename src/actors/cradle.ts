import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import { type BehaviourFn, isBehaviourFn, type ProcessFn } from './behaviour.js'
import type { Birthright } from './birthright.js'
import type { Cell } from './cell.js'
import { type ExitReason, errorFrom } from './exit-reason.js'

/** The new process's side of links and monitors. */
export function bindTo(cell: Cell, parent: Pid, { link, monitor }: Birthright): void {
  if (link) cell.ties.links.set(parent.toString(), parent)
  if (monitor !== undefined) cell.ties.watchers.add({ pid: parent, ref: monitor })
}

/**
 * Resolves when the process runs: a behaviour once it is made. Its exit counts from wherever it comes: what an `init`
 * that was killed awaits will never settle.
 * @param ready runs before anything that might never let go of the thread
 * @throws BeamlineError NOPROC when a behaviour ends before it is made; its exit is the cause
 */
export function runUntilReady(
  cell: Cell,
  body: ProcessFn | BehaviourFn,
  args: unknown,
  ready?: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const behaves = isBehaviourFn(body)
    if (behaves) cell.ties.onExit = (reason) => reject(endedEarly(cell, reason))
    cell.run(body, args, () => {
      if (behaves) cell.ties.onExit = undefined
      ready?.()
      resolve()
    })
  })
}

/** Why a start comes to nothing. */
export function endedEarly(cell: Cell, reason: ExitReason): BeamlineError {
  const cause = errorFrom(reason)
  const message = `${cell.birth.label} ended before it was ready: ${cause.message}`
  return new BeamlineError('NOPROC', message, { cause, details: { reason } })
}
