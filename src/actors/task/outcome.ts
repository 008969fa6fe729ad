import { BeamlineError, shown } from '../../errors.js'
import type { ExitReason } from '../exit-reason.js'

/** What became of a task: its result, or why it ended without one. */
export type Outcome<R> = { readonly value: R } | { readonly exit: ExitReason }

/** @throws BeamlineError INVALID_TYPE for what is no number of milliseconds */
export function checkTimeout(of: string, timeout: unknown): number {
  if (typeof timeout === 'number' && timeout >= 0) return timeout
  throw new BeamlineError('INVALID_TYPE', `${of}: timeout is ${shown(timeout)}: give milliseconds, 0 or more`)
}
