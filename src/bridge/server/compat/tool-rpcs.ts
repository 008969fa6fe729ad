import type { ServerUnaryCall } from '@grpc/grpc-js'
import { BeamlineError } from '../../../errors.js'
import type { Any } from '../../gen/google/protobuf/any.js'
import type {
  BridgeServiceServer,
  ExecuteElixirToolResponse,
  ExecuteToolRequest,
  ExecuteToolResponse,
} from '../../gen/snakepit/bridge/bridge.js'
import { reasonOf } from '../../wire/status.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import type { Keepsakes } from '../tools/keepsakes.js'
import { type RemoteTool, viaOf } from '../tools/remote-tool.js'
import type { ToolAnswer } from '../tools/requests.js'
import type { ToolDesk } from '../tools/tool-desk.js'
import { answering, type Caller, sessionFor } from './answering.js'
import { executeStreamingTool } from './tool-stream.js'
import { comesBack, noTool, readParameters, wordsOf } from './tool-words.js'

type Rpcs = Pick<
  BridgeServiceServer,
  'registerTools' | 'getExposedElixirTools' | 'executeElixirTool' | 'executeTool' | 'executeStreamingTool'
>

const stringValueUrl = 'type.googleapis.com/google.protobuf.StringValue'

export function toolRpcs(deps: ServiceDeps, tools: ToolDesk, keepsakes: Keepsakes): Rpcs {
  return {
    registerTools: answering(async ({ sessionId, tools: registrations, workerId }, call) => {
      const session = await sessionIfThere(deps, tools, call, sessionId)
      if (session === undefined) return { success: false, toolIds: {}, errorMessage: 'not_found' }
      const toolIds = tools.register(session, registrations, workerId)
      for (const registration of registrations) keepsakes.keep(session, { kind: 'tool', registration, workerId })
      return { success: true, toolIds, errorMessage: '' }
    }),

    getExposedElixirTools: answering(async ({ sessionId }, call) => {
      const session = await sessionIfThere(deps, tools, call, sessionId, 'read')
      return { tools: session === undefined ? [] : await tools.exposed() }
    }),

    executeElixirTool: answering(async (request, call): Promise<ExecuteElixirToolResponse> => {
      const { sessionId, toolName } = request
      const session = await sessionIfThere(deps, tools, call, sessionId)
      if (session === undefined) return failed('not_found')
      if (await tools.isExposed(toolName))
        return timed({}, () => runLocal(tools, { ...request, binaryParameters: {}, stream: false }, signalOf(call)))
      if (tools.remote(session, toolName) === undefined) return failed(noTool(toolName, sessionId))
      return failed(`Tool ${toolName} is not an Elixir tool`)
    }),

    executeTool: answering(async (request, call): Promise<ExecuteToolResponse> => {
      const { sessionId, toolName } = request
      const session = await sessionIfThere(deps, tools, call, sessionId)
      if (session === undefined) return failed('not_found')
      const remote = tools.remote(session, toolName)
      if (remote !== undefined)
        return timed({ tool_type: 'remote' }, () => runRemote(remote, request, call, deps.serverId))
      if (!(await tools.isExposed(toolName))) return failed(noTool(toolName, sessionId))
      return timed({ tool_type: 'local' }, () => runLocal(tools, request, signalOf(call)))
    }),

    executeStreamingTool: executeStreamingTool(deps, tools),
  }
}

/** Tools tell of a session that is not there in their answer. */
async function sessionIfThere(
  deps: ServiceDeps,
  tools: ToolDesk,
  call: Caller,
  id: string,
  permission: 'read' | 'write' = 'write',
): Promise<Session | undefined> {
  await tools.ready
  try {
    return await sessionFor(deps, call, id, permission)
  } catch (error) {
    if (error instanceof BeamlineError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

type Answer = Omit<ExecuteToolResponse, 'executionTimeMs'>

const noBytes = Buffer.alloc(0)

const failed = (errorMessage: string): ExecuteToolResponse => ({
  success: false,
  result: undefined,
  errorMessage,
  metadata: {},
  executionTimeMs: 0,
  binaryResult: noBytes,
})

async function timed(metadata: Record<string, string>, run: () => Promise<Answer>): Promise<ExecuteToolResponse> {
  const begun = performance.now()
  const answer = await run()
  const executionTimeMs = Math.round(performance.now() - begun)
  const times = { execution_time: String(executionTimeMs), ...metadata }
  return { ...answer, metadata: { ...answer.metadata, ...times }, executionTimeMs }
}

async function runLocal(tools: ToolDesk, request: ExecuteToolRequest, signal: AbortSignal): Promise<Answer> {
  const { sessionId: session, toolName: tool, metadata } = request
  let parameters: Record<string, unknown>
  try {
    parameters = readParameters(request)
  } catch (error) {
    if (error instanceof BeamlineError) return failed(reasonOf(error))
    throw error
  }
  return answered(request, await tools.run({ tool, session, parameters, metadata, streaming: false }, signal))
}

function answered({ toolName, sessionId }: ExecuteToolRequest, answer: ToolAnswer): Answer {
  if (answer.kind === 'failed') return failed(`Tool execution failed: ${answer.message}`)
  if (answer.kind !== 'value') return failed(noTool(toolName, sessionId))
  const result: Any = { typeUrl: stringValueUrl, value: Buffer.from(answer.json) }
  return { success: true, result, errorMessage: '', metadata: {}, binaryResult: noBytes }
}

async function runRemote(
  remote: RemoteTool,
  request: ExecuteToolRequest,
  call: ServerUnaryCall<ExecuteToolRequest, ExecuteToolResponse>,
  serverId: string,
): Promise<Answer> {
  if (remote.unreachable !== undefined) return failed(remote.unreachable)
  const via = viaOf(call.metadata, serverId)
  if (via === undefined) return failed(comesBack(request.toolName))
  try {
    return await remote.execute(request, { deadline: call.getDeadline() as number, signal: signalOf(call), via })
  } catch (error) {
    return failed(`Tool execution failed: ${wordsOf(error)}`)
  }
}

interface Cancellable {
  readonly cancelled: boolean
  once(event: 'cancelled', heard: () => void): unknown
}

function signalOf(call: Cancellable): AbortSignal {
  const abort = new AbortController()
  // What has been cancelled before says so no more.
  if (call.cancelled) abort.abort()
  else call.once('cancelled', () => abort.abort())
  return abort.signal
}
