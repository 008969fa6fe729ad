import { status } from '@grpc/grpc-js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { chunksOf, type Plain, typed, untyped } from '../support/plain-client.js'
import { gate } from '../support/recorder.js'

const test = suite('compatible service: streaming tools', { timeout: 30_000 })
const withSession = compatFor(test)

test(
  'a stream has numbered chunks of JSON, and then one that is empty and final',
  withSession(async ({ session, server }) => {
    server.tools.add({
      name: 'count',
      streaming: true,
      run: async function* ({ to }) {
        for (let at = 1; at <= Number(to); at++) yield { at }
      },
    })
    server.tools.add({ name: 'one', run: () => 'all' })
    const shown = (chunks: Plain[]) =>
      chunks.map(({ chunk_id, data, is_final }) => [chunk_id, data.toString(), is_final])
    assert.equal(shown(await chunksOf(session, { tool_name: 'count', parameters: { to: typed('integer', 2) } })), [
      ['count-1', '{"at":1}', false],
      ['count-2', '{"at":2}', false],
      ['count-3', '', true],
    ])
    assert.equal(shown(await chunksOf(session, { tool_name: 'one' })), [
      ['one-1', '"all"', false],
      ['one-2', '', true],
    ])
    const many = await chunksOf(session, { tool_name: 'count', parameters: { to: typed('integer', 1000) } })
    assert.is(many.length, 1001)
    const last = await session.call('ExecuteTool', { tool_name: 'count', parameters: { to: typed('integer', 3) } })
    assert.equal(untyped(last['result']), { at: 3 })
    for (const name of ['count', 'one']) server.tools.remove(name)
  }),
)

test(
  'a stream that fails says so after what came, one that nobody reads ends its tool, and one of nothing is NOT_FOUND',
  withSession(async ({ session, client, server }) => {
    const closed = gate()
    server.tools.add({
      name: 'broken',
      run: async function* () {
        yield 1
        throw new Error('worn out')
      },
    })
    server.tools.add({
      name: 'endless',
      run: async function* () {
        try {
          for (let at = 0; ; at++) yield at
        } finally {
          closed.open()
        }
      },
    })
    const failed = async (request: Plain) => {
      const chunks: unknown[] = []
      try {
        for await (const { data } of client.stream('ExecuteStreamingTool', request))
          chunks.push(JSON.parse(data.toString()))
      } catch (error) {
        const { code, details } = error as { code: number; details: string }
        return [chunks, code, details]
      }
      return assert.unreachable('it did not fail')
    }
    const of = { session_id: session.id }
    assert.equal(await failed({ ...of, tool_name: 'broken' }), [
      [1],
      status.INTERNAL,
      'Tool execution failed: worn out',
    ])
    assert.equal(await failed({ ...of, tool_name: 'none' }), [
      [],
      status.NOT_FOUND,
      `Tool none not found for session ${session.id}`,
    ])
    assert.equal(await failed({ session_id: 'nobody', tool_name: 'none' }), [
      [],
      status.NOT_FOUND,
      'Session not found: nobody',
    ])
    const stream = client.stream('ExecuteStreamingTool', { ...of, tool_name: 'endless' })
    stream.on('error', () => {})
    for await (const _ of stream) break
    stream.cancel()
    await closed.opened
    for (const name of ['broken', 'endless']) server.tools.remove(name)
  }),
)

test.run()
