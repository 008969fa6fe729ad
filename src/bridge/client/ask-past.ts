import type { Process } from '../../actors/process.js'
import { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { CommitEvent } from '../../variables/session-state.js'
import type { BridgeRequest, PastRequest } from './messages.js'

/** Asks a bridge for commits that came before those which a context has. @throws BeamlineError COMPACTED, UNAVAILABLE */
export async function askPast(self: Process, bridge: Pid, past: PastRequest): Promise<readonly CommitEvent[]> {
  const request: BridgeRequest = { kind: 'past', ...past }
  try {
    return (await self.call(bridge, request, { timeout: Number.POSITIVE_INFINITY })) as readonly CommitEvent[]
  } catch (cause) {
    if (!(cause instanceof BeamlineError && cause.code === 'NOPROC')) throw cause
    throw new BeamlineError('UNAVAILABLE', 'the bridge died before it had told of the past: try again', { cause })
  }
}
