import type { ServiceDefinition } from '@grpc/grpc-js'
import { ClientFrame, WatchServiceService } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { ClientMemories } from './client-memories.js'
import { Commands } from './commands.js'
import type { LogBounds } from './mirror-log.js'
import { mirrorsOf } from './mirrors.js'
import type { BoundService, Drain, ServiceDeps } from './service-deps.js'
import { type Incoming, Stream, type StreamCall, type StreamShared } from './stream.js'
import { SnapshotTurns } from './stream-snapshots.js'

/** Frames are bytes already when they are written; and a client's bytes that are none must not end more than its stream. */
const definition = {
  session: {
    ...WatchServiceService.session,
    requestDeserialize: (bytes: Buffer): Incoming => {
      try {
        return ClientFrame.decode(bytes)
      } catch {
        return 'malformed'
      }
    },
    responseSerialize: (frame: Uint8Array): Buffer => frame as Buffer,
  },
} satisfies ServiceDefinition

/** The native service: one stream for each client. */
export function streamService(deps: ServiceDeps, bounds?: LogBounds): BoundService {
  const { clock } = deps.self.system
  const mirrors = mirrorsOf(deps, bounds)
  const streams = new Set<Stream>()
  const clients = new ClientMemories(clock)
  const shared: StreamShared = {
    deps,
    mirrors,
    clients,
    commands: new Commands(deps.self, mirrors, deps.limits.maxVariables),
    turns: new SnapshotTurns(deps.limits.maxSnapshots, clock),
    clock,
    closed: (stream) => {
      streams.delete(stream)
    },
  }
  const { draining } = deps
  const graceMs = () => (draining.reason as Drain | undefined)?.graceMs ?? 0
  draining.addEventListener('abort', () => {
    clients.close()
    for (const stream of streams) void stream.drain(graceMs())
  })
  const session = (call: StreamCall): void => {
    const stream = new Stream(shared, call)
    streams.add(stream)
    if (draining.aborted) void stream.drain(graceMs())
  }
  return {
    definition,
    implementation: { session: session as never },
    stats: () => ({
      clients: clients.count,
      mirrors: mirrors.count,
      watches: [...streams].reduce((sum, { watches }) => sum + watches, 0),
      snapshots: shared.turns.underWay,
    }),
  }
}
