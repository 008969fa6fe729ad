import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import { BeamlineError } from '../../../errors.js'
import type { ExecuteToolRequest, ToolChunk } from '../../gen/snakepit/bridge/bridge.js'
import { refusalOf } from '../../wire/status.js'
import type { ServiceDeps } from '../service-deps.js'
import { type RemoteTool, viaOf } from '../tools/remote-tool.js'
import type { ToolDesk } from '../tools/tool-desk.js'
import { sessionFor } from './answering.js'
import { comesBack, noTool, readParameters, wordsOf } from './tool-words.js'

type StreamCall = ServerWritableStream<ExecuteToolRequest, ToolChunk>

/** A tool that failed, after what it has answered so far. */
class ToolFailure extends Error {}

export function executeStreamingTool(
  deps: ServiceDeps,
  tools: ToolDesk,
): handleServerStreamingCall<ExecuteToolRequest, ToolChunk> {
  return (call) => {
    const abort = new AbortController()
    for (const event of ['cancelled', 'close', 'error']) call.once(event, () => abort.abort())
    if (call.cancelled) abort.abort()
    run(deps, tools, call, abort.signal).then(
      () => call.end(),
      (error: unknown) => {
        if (!abort.signal.aborted) call.emit('error', refused(error))
      },
    )
  }
}

function refused(error: unknown) {
  if (!(error instanceof ToolFailure)) return refusalOf(error)
  return { code: status.INTERNAL, details: `Tool execution failed: ${error.message}` }
}

async function run(deps: ServiceDeps, tools: ToolDesk, call: StreamCall, signal: AbortSignal): Promise<void> {
  const { sessionId, toolName } = call.request
  await tools.ready
  const session = await sessionFor(deps, call, sessionId, 'write')
  const remote = tools.remote(session, toolName)
  if (remote !== undefined) return forward(remote, call, signal, deps.serverId)
  if (!(await tools.isExposed(toolName))) throw missing(call.request)
  await runLocal(tools, call, signal)
}

const missing = ({ toolName, sessionId }: ExecuteToolRequest) =>
  new BeamlineError('NOT_FOUND', noTool(toolName, sessionId), { details: { tool: toolName } })

async function runLocal(tools: ToolDesk, call: StreamCall, signal: AbortSignal): Promise<void> {
  const { sessionId: session, toolName: tool, metadata } = call.request
  const parameters = readParameters(call.request)
  let count = 0
  for await (const part of tools.stream({ tool, session, parameters, metadata, streaming: true }, signal)) {
    if (part.kind === 'failed') throw new ToolFailure(part.message)
    if (part.kind !== 'value') throw missing(call.request)
    await write(call, chunkOf(tool, ++count, Buffer.from(part.json)), signal)
    if (signal.aborted) return
  }
  await write(call, { ...chunkOf(tool, ++count, Buffer.alloc(0)), isFinal: true }, signal)
}

const chunkOf = (tool: string, count: number, data: Buffer): ToolChunk => ({
  chunkId: `${tool}-${count}`,
  data,
  isFinal: false,
  metadata: {},
})

async function forward(remote: RemoteTool, call: StreamCall, signal: AbortSignal, serverId: string): Promise<void> {
  if (remote.unreachable !== undefined) throw new BeamlineError('UNAVAILABLE', remote.unreachable)
  const via = viaOf(call.metadata, serverId)
  if (via === undefined) throw new ToolFailure(comesBack(call.request.toolName))
  if (signal.aborted) return
  const answer = remote.stream(call.request, { deadline: call.getDeadline() as number, signal, via })
  try {
    for await (const chunk of answer) await write(call, chunk as ToolChunk, signal)
  } catch (error) {
    throw new ToolFailure(wordsOf(error))
  }
}

/** Resolves when there is room for more, or nobody reads any more. */
function write(call: StreamCall, chunk: ToolChunk, signal: AbortSignal): Promise<void> {
  if (signal.aborted || call.write(chunk)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    call.on('drain', done)
    signal.addEventListener('abort', done)
  })
}
