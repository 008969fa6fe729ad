import type { Metadata } from '@grpc/grpc-js'
import { BeamlineError } from '../../../errors.js'
import type { BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import { refusalOf } from '../../wire/status.js'
import type { Mirror } from '../mirror.js'
import { mirrorsOf } from '../mirrors.js'
import type { ServiceDeps } from '../service-deps.js'
import { SnapshotTurns } from '../stream-snapshots.js'
import { sessionFor } from './answering.js'
import { type Resume, VariableWatch, type WatchCall } from './variable-watch.js'

/** The request metadata by which a client goes on where it was: `INCARNATION:REVISION`. */
const RESUME = 'x-watch-resume'

/** `WatchVariables`, over the same watches as the native service. */
export function watchRpcs(deps: ServiceDeps): Pick<BridgeServiceServer, 'watchVariables'> {
  const { clock } = deps.self.system
  const mirrors = mirrorsOf(deps)
  const host = { clock, turns: new SnapshotTurns(deps.limits.maxSnapshots, clock) }

  const begin = async (call: WatchCall): Promise<void> => {
    const { sessionId, variableIdentifiers, includeInitialValues } = call.request
    const { maxSelectors } = deps.limits
    const resume = resumeOf(call.metadata)
    const session = await sessionFor(deps, call, sessionId, 'observe')
    if (variableIdentifiers.length > maxSelectors)
      throw new BeamlineError('EXHAUSTED', `a watch has ${maxSelectors} variables at most: name fewer, or none for all`)
    const mirror = await mirrors.open(session)
    // What the client has just registered is there, too.
    await mirrors.fence(session)
    const ids = variableIdentifiers.map((identifier) => idOf(mirror, identifier, resume))
    const watch = new VariableWatch(
      call,
      mirror,
      { ids, initial: includeInitialValues, resume },
      host,
      deps.heartbeatMs,
    )
    const drain = () =>
      void mirrors
        .fence(session)
        .catch(() => {})
        .then(() => watch.drain(mirror.head))
    if (deps.draining.aborted) drain()
    else deps.draining.addEventListener('abort', drain, { signal: watch.signal })
    watch.begin()
  }
  return {
    watchVariables: (call) => {
      begin(call).catch((error: unknown) => {
        if (!call.cancelled) call.emit('error', refusalOf(error))
      })
    },
  }
}

/** @throws BeamlineError INVALID_TYPE */
function resumeOf(metadata: Metadata): Resume | undefined {
  const [text] = metadata.get(RESUME)
  if (text === undefined) return undefined
  const [, incarnation, revision] = /^([^:]+):(\d{1,15})$/.exec(String(text)) ?? []
  if (incarnation !== undefined && revision !== undefined) return { incarnation, revision: Number(revision) }
  throw new BeamlineError('INVALID_TYPE', `${RESUME} must be INCARNATION:REVISION, as an update says them`)
}

/** @throws BeamlineError NOT_FOUND, in the words that clients look for */
function idOf(mirror: Mirror, identifier: string, resume: Resume | undefined): string {
  const standing = mirror.find(identifier)
  if (standing !== undefined) return standing.born.id
  // One that was deleted since has that told.
  const { log } = mirror
  for (let at = log.end - 1; resume !== undefined && at >= log.first; at--) {
    const event = log.at(at)?.event
    if (event?.id === identifier || event?.name === identifier) return event.id
  }
  throw new BeamlineError('NOT_FOUND', `Variable not found: ${identifier}`, { details: { name: identifier } })
}
