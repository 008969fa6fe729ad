import type { Process } from '../actors/process.js'
import type { Pid } from '../threads/pid.js'
import { eventsIn } from './fed-sets.js'
import type { Seen } from './feed-start.js'
import type { ContextRequest } from './requests.js'
import type { CommitEvent, Fed, FeedStart } from './session-state.js'
import { isRecord } from './shape.js'

/**
 * Has a context tell `self` every commit from now on, by {@link Fed} messages, which come before the answer to whoever
 * commits; but for a plain write, of which the answer may come a moment before. A context whose thread has died forgets it: then ask its successor, with what was seen.
 * @throws BeamlineError NOPROC
 */
export function openFeed(self: Process, context: Pid, seen?: Seen): Promise<FeedStart> {
  const request: ContextRequest = { kind: 'feed', to: self.pid, seen }
  return self.call(context, request, { timeout: Number.POSITIVE_INFINITY }) as Promise<FeedStart>
}

/** Ends what {@link openFeed} began; a little may still come. */
export function closeFeed(self: Process, context: Pid): void {
  self.cast(context, { kind: 'unfeed', to: self.pid })
}

/** Whether a message is of a feed. */
export function isFed(message: unknown): message is Fed {
  return isRecord(message) && message['type'] === 'beamline:fed' && ('events' in message || 'sets' in message)
}

/** The commits that a message of a feed tells of. */
export const fedEvents = (fed: Fed): readonly CommitEvent[] => ('sets' in fed ? eventsIn(fed.sets) : fed.events)
