import { once } from 'node:events'
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { BridgeServiceService, type ExecuteToolRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { parseAddress } from '../../src/bridge/server/address.js'
import { mayBeCalled } from '../../src/bridge/server/tools/remote-address.js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { chunksOf, PlainSession, typed, untyped } from '../support/plain-client.js'

const test = suite('compatible service: tools of workers', { timeout: 30_000 })
const withSession = compatFor(test)

/** A worker as they are in other languages: a server of the same service with tools of its own. */
async function withWorker(body: (address: string, seen: ExecuteToolRequest[]) => Promise<void>): Promise<void> {
  const seen: ExecuteToolRequest[] = []
  const worker = new Server()
  const { executeTool, executeStreamingTool } = BridgeServiceService
  worker.addService(
    { executeTool, executeStreamingTool } as never,
    {
      executeTool: (call: { request: ExecuteToolRequest }, callback: (error: unknown, value?: unknown) => void) => {
        seen.push(call.request)
        if (call.request.toolName === 'fails') return callback({ code: status.INTERNAL, details: 'no' })
        const result = { typeUrl: 'type.googleapis.com/snakepit.integer', value: Buffer.from('7') }
        callback(null, {
          success: true,
          result,
          errorMessage: '',
          metadata: { by: 'worker' },
          executionTimeMs: 1,
          binaryResult: Buffer.alloc(0),
        })
      },
      executeStreamingTool: (call: { write(chunk: object): void; end(): void }) => {
        call.write({ chunkId: 'w-1', data: Buffer.from('1'), isFinal: false, metadata: {} })
        call.write({ chunkId: 'w-2', data: Buffer.alloc(0), isFinal: true, metadata: {} })
        call.end()
      },
    } as never,
  )
  const port = await new Promise<number>((resolve, reject) =>
    worker.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  try {
    await body(`127.0.0.1:${port}`, seen)
  } finally {
    worker.forceShutdown()
  }
}

test(
  'tools of workers are forwarded to, by the address that the worker or the tool gives',
  withSession(async ({ session }) =>
    withWorker(async (address, seen) => {
      const registered = await session.call('RegisterTools', {
        tools: [{ name: 'w' }, { name: 'fails' }],
        worker_id: address,
      })
      assert.equal(registered, {
        success: true,
        tool_ids: { w: `${session.id}:w`, fails: `${session.id}:fails` },
        error_message: '',
      })
      await session.call('RegisterTools', {
        tools: [{ name: 'm', metadata: { address } }, { name: 'lost' }],
        worker_id: 'worker_1',
      })
      assert.is((await session.call('GetSession', {}))['tool_count'], 4)
      assert.equal((await session.call('GetExposedElixirTools', {}))['tools'], [])
      for (const tool_name of ['w', 'm']) {
        const answer = await session.call('ExecuteTool', {
          tool_name,
          parameters: { a: typed('integer', 1) },
          metadata: { k: 'v' },
        })
        assert.equal([answer['success'], untyped(answer['result'])], [true, 7])
        assert.equal([answer['metadata'].tool_type, answer['metadata'].by], ['remote', 'worker'])
      }
      const [{ sessionId, toolName, metadata }] = seen as [ExecuteToolRequest]
      assert.equal([sessionId, toolName, metadata], [session.id, 'w', { k: 'v' }])
      const error = async (rpc: string, tool_name: string) => (await session.call(rpc, { tool_name }))['error_message']
      assert.is(await error('ExecuteTool', 'fails'), 'Tool execution failed: no')
      assert.match(await error('ExecuteTool', 'lost'), /^Tool lost of the worker 'worker_1' cannot be reached: /)
      assert.is(await error('ExecuteElixirTool', 'w'), 'Tool w is not an Elixir tool')
      const chunks = await chunksOf(session, { tool_name: 'w' })
      assert.equal(
        chunks.map(({ chunk_id, is_final }) => [chunk_id, is_final]),
        [
          ['w-1', false],
          ['w-2', true],
        ],
      )
    }),
  ),
)

test(
  'a tool that is registered with the address of the server itself is refused, and not forwarded for ever',
  withSession(async ({ session, server }) => {
    await session.call('RegisterTools', { tools: [{ name: 'self' }], worker_id: server.address })
    const { success, error_message } = await session.call('ExecuteTool', { tool_name: 'self' })
    assert.equal([success, /leads back to a server that has called it/.test(error_message)], [false, true])
    const stream = session.client.stream('ExecuteStreamingTool', { session_id: session.id, tool_name: 'self' })
    const [error] = await once(stream.resume(), 'error').catch((error: unknown) => [error])
    assert.match((error as Error).message, /leads back/)
  }),
)

test(
  'tools are called at loopback addresses only',
  withSession(async ({ session }) => {
    for (const worker_id of ['10.0.0.7:80', 'example.invalid:80', 'unix:/run/some.sock']) {
      await session.call('RegisterTools', { tools: [{ name: 'away' }], worker_id })
      const { success, error_message } = await session.call('ExecuteTool', { tool_name: 'away' })
      assert.equal([success, error_message.includes('remoteTools')], [false, true])
    }
  }),
)

test('which other addresses are allowed is told by patterns', () => {
  const allowed = ['10.0.0.7', '*.internal', 'unix:/run/workers/*', '*']
  const may = (text: string, patterns: readonly string[]) => mayBeCalled(parseAddress(text), patterns)
  assert.equal(
    ['10.0.0.7:1', 'a.internal:1', 'unix:/run/workers/a', '127.0.0.1:1', '[::1]:1'].map((text) => may(text, allowed)),
    [true, true, true, true, true],
  )
  assert.equal(
    ['10.0.0.70:1', 'internal:1', 'unix:/run/workers/../a', 'unix:run/workers/a', 'unix:/a'].map((text) =>
      may(text, allowed.slice(0, 3)),
    ),
    [false, false, false, false, false],
  )
  assert.not(may('unix:/a', ['*']))
})

test(
  'tools end with their session, and one registered again takes the place of the first',
  withSession(async ({ client }) => {
    const session = await PlainSession.open(client, 'brief')
    for (let at = 0; at < 2; at++) await session.call('RegisterTools', { tools: [{ name: 't' }], worker_id: 'w' })
    assert.is((await session.call('GetSession', {}))['tool_count'], 1)
    await client.call('CleanupSession', { session_id: 'brief' })
    await PlainSession.open(client, 'brief')
    assert.is((await session.call('GetSession', {}))['tool_count'], 0)
    const { error_message } = await session.call('ExecuteTool', { tool_name: 't' })
    assert.is(error_message, 'Tool t not found for session brief')
    await client.call('CleanupSession', { session_id: 'brief' })
  }),
)

test.run()
