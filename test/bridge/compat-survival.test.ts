import { BridgeServer } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { PlainClient, PlainSession } from '../support/plain-client.js'
import { withSystem } from '../support/system.js'

const test = suite('compatible service: the server dies', { timeout: 60_000 })

test('leases, dependencies and tools of workers are there when the server has come back', () =>
  withSystem({ threads: 1 }, async (system) => {
    await using server = await BridgeServer.start(system, { address: '127.0.0.1:0' })
    using client = new PlainClient(server.address)
    const session = await PlainSession.open(client, 's')
    for (const name of ['a', 'y', 'x']) await session.register(name, 'float', 1)
    await session.call('AddDependency', { from_variable: 'a', to_variable: 'y', dependency_type: 'sum' })
    await session.call('AddDependency', { from_variable: 'y', to_variable: 'x', dependency_type: 'informs' })
    for (let at = 0; at < 2; at++) await session.call('RegisterTools', { tools: [{ name: 't' }], worker_id: 'w' })
    await session.call('StartOptimization', { variable_identifier: 'x', optimizer_id: 'adam' })
    const gone = await PlainSession.open(client, 'gone')
    await gone.call('RegisterTools', { tools: [{ name: 't' }], worker_id: 'w' })

    const isolated = system.threads().find(({ kind }) => kind === 'isolated')?.id
    const pid = system.processes().find(({ thread }) => thread === isolated)
    assert.ok(pid)
    system.self.exit(pid, 'kill')
    await eventually(() => assert.not(system.isAlive(pid)))
    await server.sessions.delete('gone')
    await eventually(async () => assert.is((await client.call('Ping', { message: '' }))['message'], 'pong: '), {
      timeout: 20_000,
    })

    assert.is((await session.call('GetSession', {}))['tool_count'], 1)
    await (await server.sessions.get('s')).set('a', 5)
    await eventually(async () => assert.is(await session.value('y'), 5))
    const cycle = await session.call('AddDependency', {
      from_variable: 'x',
      to_variable: 'a',
      dependency_type: 'informs',
    })
    assert.match(cycle['error_message'], /^cycle: a -> y -> x -> a/)
    assert.is((await session.variable('x'))['optimization_status'].optimizer_id, 'adam')
    await PlainSession.open(client, 'gone')
    assert.is((await gone.call('GetSession', {}))['tool_count'], 0)
  }))

test.run()
