import { BeamlineError } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { Peer } from '../support/bridges.js'
import { compatFor } from '../support/compat.js'
import { type Plain, typed, untyped } from '../support/plain-client.js'
import { gate } from '../support/recorder.js'

const test = suite('compatible service: tools', { timeout: 30_000 })
const withSession = compatFor(test)

const bare = (text: string) => ({
  type_url: 'type.googleapis.com/google.protobuf.StringValue',
  value: Buffer.from(text),
})

test(
  'a host tool is listed with its parameters, called, and answers bare JSON',
  withSession(async ({ session, server }) => {
    server.tools.add({
      name: 'greet',
      description: 'says hello',
      parameters: [
        { name: 'who', type: 'string', required: true, description: 'whom' },
        { name: 'loud', default: false, validation: { enum: [true, false] } },
      ],
      metadata: { kind: 'demo' },
      run: ({ who, loud }, call) => ({
        text: `hello ${who}`,
        loud,
        session: call.session,
        from: call.metadata['from'],
      }),
    })
    server.tools.add({ name: 'hidden', exposed: false, run: () => 1 })
    const { tools } = await session.call('GetExposedElixirTools', {})
    assert.equal(tools, [
      {
        name: 'greet',
        description: 'says hello',
        parameters: [
          {
            name: 'who',
            type: 'string',
            description: 'whom',
            required: true,
            default_value: null,
            validation_json: '{}',
          },
          {
            name: 'loud',
            type: 'any',
            description: '',
            required: false,
            default_value: bare('false'),
            validation_json: '{"enum":[true,false]}',
          },
        ],
        metadata: { kind: 'demo' },
        supports_streaming: false,
        required_variables: [],
      },
    ])
    const parameters = { who: bare('"you"'), loud: typed('boolean', true) }
    const answer = await session.call('ExecuteElixirTool', { tool_name: 'greet', parameters, metadata: { from: 'me' } })
    assert.equal([answer['success'], answer['error_message'], answer['result'].type_url], [true, '', bare('').type_url])
    assert.equal(untyped(answer['result']), { text: 'hello you', loud: true, session: session.id, from: 'me' })
    assert.is(answer['metadata'].execution_time, String(answer['execution_time_ms']))
    const local = await session.call('ExecuteTool', { tool_name: 'greet', parameters: { who: bare('not json') } })
    assert.equal(
      [untyped(local['result']), local['metadata'].tool_type],
      [{ text: 'hello not json', session: session.id }, 'local'],
    )
    const made = await session.client.call('InitializeSession', { session_id: 'with-tools' })
    assert.equal(Object.keys(made['available_tools']), ['greet'])
    await session.client.call('CleanupSession', { session_id: 'with-tools' })
    for (const name of ['greet', 'hidden']) server.tools.remove(name)
    assert.equal((await session.call('GetExposedElixirTools', {}))['tools'], [])
  }),
)

test(
  'failures are answers: tools that throw, that answer nothing JSON can say, that are not there, and lost sessions',
  withSession(async ({ session, client, server }) => {
    server.tools.add({ name: 'bad', run: () => Promise.reject(new Error('out of order')) })
    server.tools.add({ name: 'odd', run: () => () => 1 })
    server.tools.add({ name: 'hidden', exposed: false, run: () => 1 })
    const failure = async (rpc: string, request: Plain) => {
      const { success, error_message, result } = await session.call(rpc, request)
      assert.equal([success, result], [false, null])
      return error_message
    }
    for (const rpc of ['ExecuteTool', 'ExecuteElixirTool']) {
      assert.is(await failure(rpc, { tool_name: 'bad' }), 'Tool execution failed: out of order')
      assert.match(await failure(rpc, { tool_name: 'odd' }), /^Tool execution failed: must be a JSON value/)
      for (const tool_name of ['none', 'hidden'])
        assert.is(await failure(rpc, { tool_name }), `Tool ${tool_name} not found for session ${session.id}`)
      assert.match(
        await failure(rpc, { tool_name: 'bad', parameters: { x: typed('integer', 'y') } }),
        /^parameter x: must be an integer/,
      )
      const lost = await client.call(rpc, { session_id: 'nobody', tool_name: 'bad' })
      assert.equal([lost['success'], lost['error_message']], [false, 'not_found'])
    }
    const tools = [{ name: 't' }]
    const lost = await client.call('RegisterTools', { session_id: 'nobody', tools })
    assert.equal([lost['success'], lost['error_message']], [false, 'not_found'])
    assert.equal(await client.call('GetExposedElixirTools', { session_id: 'nobody' }), { tools: [] })
    for (const name of ['bad', 'odd', 'hidden']) server.tools.remove(name)
  }),
)

test(
  'tools run at the same time, and hear when nobody waits any more',
  withSession(async ({ session, server }) => {
    const [both, heard] = [gate(), gate()]
    let count = 0
    server.tools.add({
      name: 'pair',
      run: async () => {
        if (++count === 2) both.open()
        await both.opened
        return count
      },
    })
    const call = () => session.call('ExecuteTool', { tool_name: 'pair' })
    assert.equal(
      (await Promise.all([call(), call()])).map(({ result }) => untyped(result)),
      [2, 2],
    )
    const begun = gate()
    server.tools.add({
      name: 'wait',
      run: (_, { signal }) => {
        signal.addEventListener('abort', () => heard.open())
        begun.open()
        return heard.opened
      },
    })
    const stream = session.client.stream('ExecuteStreamingTool', { session_id: session.id, tool_name: 'wait' })
    stream.on('error', () => {})
    await begun.opened
    stream.cancel()
    await heard.opened
    for (const name of ['pair', 'wait']) server.tools.remove(name)
  }),
)

test(
  'a tool that yields for ever, never waiting, is ended when its caller has gone',
  withSession(async ({ session, server }) => {
    const [begun, ended] = [gate(), gate()]
    server.tools.add({
      name: 'endless',
      run: async function* () {
        try {
          for (let count = 0; ; count++) {
            if (count === 1000) begun.open()
            yield count
          }
        } finally {
          ended.open()
        }
      },
    })
    using peer = new Peer(server.address)
    const [sessionId, toolName] = [session.id, 'endless']
    const rest = { parameters: {}, metadata: {}, stream: false, binaryParameters: {} }
    const call = peer.bridge.executeTool({ sessionId, toolName, ...rest }, () => {})
    await begun.opened
    call.cancel()
    await ended.opened
    server.tools.remove('endless')
  }),
)

test(
  'what is no tool is not added',
  withSession(async ({ server }) => {
    for (const tool of [
      undefined,
      {},
      { name: 'x' },
      { name: '', run: () => 1 },
      { name: 'x', run: () => 1, parameters: 5 },
    ])
      assert.throwsCode(() => server.tools.add(tool as never), 'INVALID_TYPE')
    assert.instance(
      assert.throwsCode(
        () => server.tools.add({ name: 'x', run: () => 1, parameters: [{ name: 'p', default: () => 1 }] }),
        'INVALID_TYPE',
      ),
      BeamlineError,
    )
    assert.equal(server.tools.list(), [])
  }),
)

test.run()
