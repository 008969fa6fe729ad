import { BeamlineError } from '../../errors.js'

/** Whoever was asked is dead. */
export const isOfDeath = (error: unknown): boolean => error instanceof BeamlineError && error.code === 'NOPROC'

export function asBeamlineError(error: unknown): BeamlineError {
  return error instanceof BeamlineError ? error : new BeamlineError('UNAVAILABLE', String(error), { cause: error })
}
