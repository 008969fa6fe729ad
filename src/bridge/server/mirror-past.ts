import { BeamlineError } from '../../errors.js'
import type { Past, Since } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { toEvent, toValue } from '../wire/native-codec.js'
import type { Mirror } from './mirror.js'

/** Bytes of values after which the rest is left for the next question. */
const ENOUGH = 256 * 1024

/** @throws BeamlineError COMPACTED when something that was asked for is no longer kept */
export function pastOf({ log }: Mirror, { revision, through, limit }: Since): Past {
  if (revision < log.compacted) {
    const text = `changes after revision ${revision} are no longer all kept: begin at ${log.compacted} or later`
    throw new BeamlineError('COMPACTED', text, { details: { revision, compacted: log.compacted } })
  }
  const events: Past['events'] = []
  let bytes = 0
  let done = revision
  for (let at = log.indexAfter(revision); at < log.end; at++) {
    const entry = log.at(at)
    if (entry === undefined || entry.event.revision > through) break
    const { event } = entry
    // A revision is told whole.
    if (event.revision !== done && (events.length >= limit || bytes >= ENOUGH)) return { events, through: done }
    const previous = event.op === 'define' ? undefined : toValue(event.previous)
    events.push({ ...toEvent(event), previous })
    bytes += entry.size
    done = event.revision
  }
  return { events, through }
}
