import { status } from '@grpc/grpc-js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { PlainSession, typed } from '../support/plain-client.js'

const test = suite('compatible service: sessions', { timeout: 30_000 })
const withSession = compatFor(test)

const timeOf = ({ seconds, nanos }: { seconds: number; nanos: number }) => seconds * 1000 + nanos / 1e6
const isNow = (time: { seconds: number; nanos: number }) => assert.ok(Math.abs(timeOf(time) - Date.now()) < 60_000)

test(
  'Ping answers the message and the time',
  withSession(async ({ client }) => {
    const { message, server_time } = await client.call('Ping', { message: 'hello' })
    assert.is(message, 'pong: hello')
    isNow(server_time)
  }),
)

test(
  'a session has its metadata and counts, which follow what is registered and deleted',
  withSession(async ({ client }) => {
    const metadata = { user: 'ada', purpose: 'test' }
    const made = await client.call('InitializeSession', {
      session_id: 'told',
      metadata,
      config: { enable_caching: true },
    })
    assert.equal([made['success'], made['error_message'], made['initial_variables']], [true, '', {}])
    const session = new PlainSession(client, 'told')
    const told = async () => client.call('GetSession', { session_id: 'told' })
    const { session_id, created_at, ...rest } = await told()
    assert.equal([session_id, rest['metadata'], rest['variable_count'], rest['tool_count']], ['told', metadata, 0, 0])
    isNow(created_at)
    await session.register('a', 'integer', 1)
    await session.register('b', 'integer', 1)
    await session.set('a', 'integer', 2)
    assert.is((await told())['variable_count'], 2)
    await session.call('DeleteVariable', { variable_identifier: 'a' })
    assert.is((await told())['variable_count'], 1)
    await client.call('CleanupSession', { session_id: 'told' })
  }),
)

test(
  'an id in use is ALREADY_EXISTS, and the session stays as it is',
  withSession(async ({ session, client }) => {
    await session.register('x', 'integer', 5)
    const refused = await client.refused('InitializeSession', { session_id: session.id, metadata: { other: 'yes' } })
    assert.equal(refused, {
      code: status.ALREADY_EXISTS,
      text: `Session already exists: ${session.id}`,
      own: 'ALREADY_EXISTS',
    })
    assert.is(await session.value('x'), 5)
    assert.equal((await client.call('GetSession', { session_id: session.id }))['metadata'], {})
  }),
)

test(
  'an empty id is refused',
  withSession(async ({ client }) => {
    assert.is((await client.refused('InitializeSession', { session_id: '' })).code, status.INVALID_ARGUMENT)
  }),
)

test(
  'every RPC on an unknown session says so',
  withSession(async ({ client }) => {
    const some = {
      variable_identifier: 'x',
      name: 'x',
      type: 'integer',
      value: typed('integer', 1),
      initial_value: typed('integer', 1),
      updates: { x: typed('integer', 1) },
      optimizer_id: 'o',
      from_variable: 'a',
      to_variable: 'b',
    }
    for (const rpc of [
      'GetSession',
      'RegisterVariable',
      'GetVariable',
      'SetVariable',
      'GetVariables',
      'SetVariables',
      'ListVariables',
      'DeleteVariable',
      'AddDependency',
      'StartOptimization',
      'StopOptimization',
      'GetVariableHistory',
      'RollbackVariable',
    ]) {
      const refused = await client.refused(rpc, { session_id: 'nobody', ...some })
      assert.equal(refused, { code: status.NOT_FOUND, text: 'Session not found: nobody', own: 'NOT_FOUND' }, rpc)
    }
  }),
)

test(
  'Heartbeat is never an error, and says whether there is a session',
  withSession(async ({ session, client }) => {
    for (let at = 0; at < 3; at++) {
      const { session_valid, server_time } = await session.call('Heartbeat', {})
      assert.is(session_valid, true)
      isNow(server_time)
    }
    assert.is((await client.call('Heartbeat', { session_id: 'nobody' }))['session_valid'], false)
    assert.is((await session.call('GetSession', {}))['session_id'], session.id)
  }),
)

test(
  'CleanupSession always succeeds; afterwards the id is free, and its session empty',
  withSession(async ({ client }) => {
    const session = await PlainSession.open(client, 'again')
    await session.register('x', 'integer', 1)
    for (let at = 0; at < 2; at++)
      assert.equal(await client.call('CleanupSession', { session_id: 'again', force: true }), {
        success: true,
        resources_cleaned: 1,
      })
    assert.is((await session.refused('GetVariable', { variable_identifier: 'x' })).text, 'Session not found: again')
    await PlainSession.open(client, 'again')
    assert.is((await session.refused('GetVariable', { variable_identifier: 'x' })).text, 'Variable not found: x')
    await client.call('CleanupSession', { session_id: 'again' })
  }),
)

test(
  'sessions are isolated: same names, other values and types, and ids of their own',
  withSession(async ({ session, client }) => {
    const other = await PlainSession.open(client, 'other')
    const id = await session.register('x', 'integer', 10)
    await other.register('x', 'string', 'ten')
    assert.equal([await session.value('x'), await other.value('x')], [10, 'ten'])
    assert.is((await other.refused('GetVariable', { variable_identifier: id })).text, `Variable not found: ${id}`)
    await client.call('CleanupSession', { session_id: 'other' })
    assert.is(await session.value('x'), 10)
  }),
)

test(
  'fifty sessions at a time list their own twenty variables each',
  withSession(async ({ client }) => {
    const ids = Array.from({ length: 50 }, (_, at) => `many${at}`)
    await Promise.all(
      ids.map(async (id, at) => {
        const session = await PlainSession.open(client, id)
        await Promise.all(Array.from({ length: 20 }, (_, nth) => session.register(`v${nth}`, 'integer', at)))
        const { variables } = await session.call('ListVariables', { pattern: '*' })
        assert.equal(
          new Set(variables.map(({ value }: { value: { value: Buffer } }) => value.value.toString())),
          new Set([`${at}`]),
        )
        assert.is(variables.length, 20)
        await client.call('CleanupSession', { session_id: id })
      }),
    )
  }),
)

test.run()
