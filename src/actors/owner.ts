import { BeamlineError, isInstance, shown } from '../errors.js'
import { Process } from './process.js'

/**
 * The process that a handle belongs to: itself, or the calling thread's own.
 * @throws BeamlineError INVALID_TYPE for what is neither a process nor a system
 */
export function ownerOf(by: Process | { readonly self: Process }): Process {
  if (isInstance(by, Process)) return by
  const self = (by as { self?: unknown } | null | undefined)?.self
  if (isInstance(self, Process)) return self
  throw new BeamlineError('INVALID_TYPE', `${shown(by)} is no process: give a Process, or the system for its own`)
}
