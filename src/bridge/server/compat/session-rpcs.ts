import { BeamlineError } from '../../../errors.js'
import type { BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import type { ServiceDeps } from '../service-deps.js'
import type { ToolDesk } from '../tools/tool-desk.js'
import { answering, sessionFor, within } from './answering.js'

type Rpcs = Pick<BridgeServiceServer, 'ping' | 'initializeSession' | 'cleanupSession' | 'getSession' | 'heartbeat'>

export function sessionRpcs(deps: ServiceDeps, tools: ToolDesk): Rpcs {
  const { guard, sessions } = deps
  return {
    ping: answering(({ message }) => ({ message: `pong: ${message}`, serverTime: new Date() })),

    initializeSession: answering(async ({ sessionId, metadata }, call) => {
      if (sessionId === '') throw new BeamlineError('INVALID_TYPE', 'session_id is empty: give the session an id')
      guard.admit(call.metadata).require(sessionId, 'write')
      await sessions.create(sessionId, metadata)
      const exposed = await tools.exposed()
      const availableTools = Object.fromEntries(exposed.map((tool) => [tool.name, tool]))
      return { success: true, errorMessage: '', availableTools, initialVariables: {} }
    }),

    cleanupSession: answering(async ({ sessionId }, call) => {
      guard.admit(call.metadata).require(sessionId, 'write')
      await sessions.delete(sessionId)
      return { success: true, resourcesCleaned: 1 }
    }),

    getSession: answering(async ({ sessionId }, call) => {
      await tools.ready
      const session = await sessionFor(deps, call, sessionId, 'read')
      const variables = await within(session, ({ context }) => context.list())
      const { metadata, createdAt } = session
      return {
        sessionId,
        metadata: { ...metadata },
        createdAt: new Date(createdAt),
        variableCount: variables.length,
        toolCount: tools.count(session),
      }
    }),

    heartbeat: answering(async ({ sessionId }, call) => {
      guard.admit(call.metadata).require(sessionId, 'read')
      return { serverTime: new Date(), sessionValid: await sessions.touch(sessionId) }
    }),
  }
}
