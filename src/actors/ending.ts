import { isDeepStrictEqual } from 'node:util'
import { BeamlineError } from '../errors.js'
import type { ExitReason } from './exit-reason.js'

/**
 * What comes of a call that asks its callee to end with `reason`: nothing, once that has ended so.
 * @throws BeamlineError NOPROC when it was dead before, or ended for another reason
 */
export async function ended(call: Promise<unknown>, reason: ExitReason = 'normal'): Promise<void> {
  try {
    await call
  } catch (error) {
    const asAsked = error instanceof BeamlineError && isDeepStrictEqual(error.details['reason'], reason)
    if (!asAsked) throw error
  }
}
