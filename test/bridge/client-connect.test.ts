import { createServer } from 'node:net'
import { status } from '@grpc/grpc-js'
import { Bridge } from '../../src/bridge/client/bridge.js'
import type { BridgeState } from '../../src/bridge/client/messages.js'
import type { BridgeOptions } from '../../src/bridge/client/options.js'
import { eventually } from '../../src/testing/eventually.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { ScriptedServer, type ScriptedStream } from './support/scripted-server.js'

const test = suite('Bridge.connect')
const system = systemFor(test, { threads: 1 })

/** A server that welcomes the first stream, and a bridge that is connected to it. */
async function connected(options: BridgeOptions = {}): Promise<{
  server: ScriptedServer
  bridge: Bridge
  stream: ScriptedStream
}> {
  const server = await ScriptedServer.start()
  const connecting = Bridge.connect(system(), server.address, { backoff: { base: 1, cap: 20 }, ...options })
  const stream = await server.stream()
  stream.welcome()
  return { server, stream, bridge: await connecting }
}

/** The states that a bridge comes to, up to one. */
function states(bridge: Bridge, last: BridgeState): Promise<BridgeState[]> {
  const seen: BridgeState[] = []
  return new Promise((resolve) => {
    const stop = bridge.on('state', (state) => {
      seen.push(state)
      if (state !== last) return
      stop()
      resolve(seen)
    })
  })
}

test('it presents itself, and is ready with the welcome', async () => {
  const { server, bridge, stream } = await connected({ token: 'secret', heartbeat: 1234 })
  const { protocol, clientId, clientInstance, heartbeatMs } = await stream.next('hello')
  assert.equal([protocol, heartbeatMs, stream.authorization], [1, 1234, 'Bearer secret'])
  assert.ok(clientId.length > 10 && clientInstance.length > 10)
  assert.equal([bridge.state, bridge.address], ['ready', server.address])
  assert.ok(system().isAlive(bridge.pid))
  const { reconnects, gaps, frames, lastProofOfLife } = await bridge.stats()
  assert.equal([reconnects, gaps, frames], [0, 0, 1])
  assert.ok(Date.now() - lastProofOfLife < 60_000)
  const over = states(bridge, 'closed')
  const { pid } = bridge
  await bridge.close()
  await bridge.close()
  assert.equal(await over, ['closed'])
  assert.is(system().isAlive(pid), false)
  await stream.closed
  server.stop()
})

test('where nobody listens it says so, with the address and what to do', async () => {
  const server = await ScriptedServer.start()
  server.stop()
  const error = await assert.rejects(Bridge.connect(system(), server.address), 'UNAVAILABLE', /start one there/)
  assert.match(error.message, server.address)
})

const refusals = [
  [status.UNAUTHENTICATED, 'UNAUTHENTICATED', /give a valid token/],
  [status.PERMISSION_DENIED, 'PERMISSION_DENIED', /ask for permission/],
  [status.UNIMPLEMENTED, 'UNAVAILABLE', /has no such service/],
] as const

for (const [code, expected, text] of refusals) {
  test(`a server that answers ${status[code]} is not asked again`, async () => {
    const server = await ScriptedServer.start()
    server.refusal = { code, details: 'no' }
    const error = await assert.rejects(Bridge.connect(system(), server.address, { token: 'wrong' }), expected, text)
    assert.is(error.message.includes('wrong'), false)
    assert.is(server.opened, 1)
    server.stop()
  })
}

test('a bridge that is refused later is closed', async () => {
  const { server, bridge, stream } = await connected()
  const over = states(bridge, 'closed')
  server.refusal = { code: status.UNAUTHENTICATED, details: 'the token is revoked' }
  stream.end()
  assert.equal(await over, ['reconnecting', 'closed'])
  await bridge.close()
  server.stop()
})

test('a host that takes the connection and says nothing is given up after the timeout', async () => {
  const silent = createServer()
  const sockets: { destroy(): void }[] = []
  silent.on('connection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  await assert.rejects(Bridge.connect(system(), `127.0.0.1:${port}`, { timeout: 100 }), 'UNAVAILABLE', /100 ms/)
  for (const socket of sockets) socket.destroy()
  silent.close()
})

test('another protocol is refused', async () => {
  const server = await ScriptedServer.start()
  const connecting = Bridge.connect(system(), server.address)
  const stream = await server.stream()
  stream.welcome({ protocol: 9 })
  await assert.rejects(connecting, 'UNAVAILABLE', /protocol 9/)
  server.stop()
})

test('what is no address or no option is refused', async () => {
  const connect = (address: unknown, options: object = {}) => Bridge.connect(system(), address as string, options)
  for (const address of ['', 'nowhere', 'host:0', 'host:99999', 'http://host:1', 7, undefined])
    await assert.rejects(connect(address), 'INVALID_TYPE', /address/)
  const bad: object[] = [
    { heartbeat: 0 },
    { timeout: -1 },
    { whenOffline: 'never' },
    { backoff: { base: 10, cap: 5 } },
    { token: 'with a space' },
    { tls: { ca: 7 } },
    { tls: { cert: 'alone' } },
  ]
  for (const options of bad) await assert.rejects(connect('127.0.0.1:1', options), 'INVALID_TYPE')
})

test('it reconnects after an end, an error and a goodbye, and says so', async () => {
  const { server, bridge, stream } = await connected()
  const ends: ((stream: ScriptedStream) => void)[] = [
    (one) => one.end(),
    (one) => one.fail(status.INTERNAL, 'a fault'),
    (one) => {
      one.say({ $case: 'goAway', value: { reason: 'update', graceMs: 5000, retryAfterMs: 1 } })
      one.end()
    },
  ]
  let current = stream
  for (const end of ends) {
    const back = states(bridge, 'ready')
    end(current)
    current = await server.stream()
    current.welcome()
    assert.equal(await back, ['reconnecting', 'ready'])
  }
  assert.is((await bridge.stats()).reconnects, 3)
  await bridge.close()
  server.stop()
})

test('it comes back to a server that was away for some attempts', async () => {
  const { server, bridge } = await connected()
  const back = states(bridge, 'ready')
  const { port } = server
  server.stop()
  await eventually(() => assert.is(bridge.state, 'reconnecting'))
  const next = await ScriptedServer.start(port)
  const stream = await next.stream()
  stream.welcome({ serverId: 'two' })
  assert.equal(await back, ['reconnecting', 'ready'])
  await bridge.close()
  next.stop()
})

test('a server that falls silent is left after three heartbeats, on a new connection', async () => {
  const { server, bridge, stream } = await connected({ heartbeat: 50 })
  await stream.next('ping')
  await stream.closed
  const next = await server.stream()
  next.welcome()
  await eventually(() => assert.is(bridge.state, 'ready'))
  const { nonce } = await next.next('ping')
  next.say({ $case: 'pong', value: { nonce } })
  await bridge.close()
  server.stop()
})

test('a bridge that is killed comes back, under its name', async () => {
  const { server, bridge } = await connected()
  const { pid, name } = bridge
  const back = states(bridge, 'ready')
  system().self.exit(pid, 'kill')
  const stream = await server.stream()
  stream.welcome()
  assert.equal(await back, ['reconnecting', 'ready'])
  assert.is(bridge.pid.equals(pid), false)
  assert.ok(system().whereis(name)?.equals(bridge.pid))
  await bridge.close()
  server.stop()
})

test('a listener that throws harms no other, and one that is removed hears nothing', async () => {
  const { server, bridge, stream } = await connected()
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  bridge.on('state', () => {
    throw new Error('mine')
  })
  bridge.on('state', () => assert.unreachable())()
  const over = states(bridge, 'closed')
  await bridge.close()
  await over
  assert.match((await warned).message, /mine/)
  assert.throwsCode(() => bridge.on('nothing' as 'state', () => {}), 'INVALID_TYPE')
  assert.throwsCode(() => bridge.on('state', 7 as never), 'INVALID_TYPE')
  await assert.rejects(bridge.stats(), 'NOPROC')
  await stream.closed
  server.stop()
})

test.run()
