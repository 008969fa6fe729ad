import { once } from 'node:events'
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { RateLimit } from '../../src/bridge/server/rate-limit.js'
import type { BeamlineError } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { assert, suite } from '../harness.js'
import { bearer, Peer, withServer } from '../support/bridges.js'
import { systemFor } from '../support/system.js'

const test = suite('bridge server: limits, health, reflection', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

test('streams over the limit are answered at once, and room is made by those that end', () =>
  withServer(system(), { limits: { maxStreams: 3 } }, async (server) => {
    await server.sessions.create('s')
    using peer = new Peer(server.address)
    const request = { sessionId: 's', variableIdentifiers: [], includeInitialValues: true }
    const open = () => {
      const call = peer.bridge.watchVariables(request)
      const outcome = new Promise<number>((resolve) => {
        call.on('data', () => resolve(status.OK))
        call.on('error', ({ code }: { code?: number }) => resolve(code ?? -1))
      })
      return { call, outcome }
    }
    const first = [open(), open(), open()]
    assert.equal(await Promise.all(first.map(({ outcome }) => outcome)), [0, 0, 0])
    const more = Array.from({ length: 200 }, open)
    const codes = new Set(await Promise.all(more.map(({ outcome }) => outcome)))
    assert.equal([...codes], [status.RESOURCE_EXHAUSTED])
    assert.is((await server.stats()).counts['streams'], 3)
    first[0]?.call.cancel()
    // The server has heard of it before what is said after it.
    await peer.check()
    const again = open()
    assert.is(await again.outcome, status.OK)
    for (const { call } of [...first, again]) call.cancel()
  }))

test('who watches the health of the server takes no place of other streams, and needs a place of those', () =>
  withServer(system(), { limits: { maxStreams: 1 }, token: 'hush' }, async (server) => {
    await server.sessions.create('s')
    using peer = new Peer(server.address)
    const opened = (call: ClientReadableStream<unknown>) =>
      new Promise<number>((resolve) => {
        call.on('data', () => resolve(status.OK))
        call.on('error', ({ code }: { code?: number }) => resolve(code ?? -1))
      })
    const calls = Array.from({ length: 70 }, () => peer.health.watch({ service: '' }))
    const codes = await Promise.all(calls.map(opened))
    assert.equal(
      codes.map((code) => code === status.OK),
      codes.map((_, index) => index < 64),
    )
    assert.equal(new Set(codes), new Set([status.OK, status.RESOURCE_EXHAUSTED]))
    const request = { sessionId: 's', variableIdentifiers: [], includeInitialValues: true }
    const watch = peer.bridge.watchVariables(request, bearer('hush'))
    assert.is(await opened(watch), status.OK)
    for (const call of [...calls, watch]) call.cancel()
  }))

test('where tokens are not looked at, saying others does not get round the rate', () =>
  withServer(system(), { limits: { rate: 1 }, token: 'hush' }, async (server) => {
    using peer = new Peer(server.address)
    const checks = Array.from({ length: 30 }, (_, index) => peer.check('', false, bearer(`made-up-${index}`)))
    const refused = (await Promise.all(checks)).filter(({ code }) => code === status.RESOURCE_EXHAUSTED)
    assert.ok(refused.length >= 20, `${refused.length} of 30 were refused`)
  }))

test('calls over the rate are refused with the time to wait, and counted for each token by itself', () =>
  withServer(system(), { limits: { rate: 5 }, token: [{ token: 'one' }, { token: 'two' }] }, async (server) => {
    using peer = new Peer(server.address)
    const answers = await Promise.all(Array.from({ length: 30 }, () => peer.ping(bearer('one'))))
    const refused = answers.filter(({ code }) => code === status.RESOURCE_EXHAUSTED)
    assert.ok(refused.length >= 20 && refused.length <= 25, `${refused.length} of 30 were refused`)
    for (const { details, metadata } of refused) {
      assert.not.match(details, 'one')
      assert.ok(Number(metadata?.get('grpc-retry-pushback-ms')[0]) > 0)
      assert.equal(metadata?.get('beamline-code'), ['EXHAUSTED'])
    }
    assert.is((await peer.ping(bearer('two'))).code, status.OK)
  }))

test('a rate fills up again, to a second and no more', () => {
  const clock = new VirtualClock()
  const bucket = new RateLimit(clock, 4, false).of(new Metadata(), '127.0.0.1:1234')
  const tries = (count: number) =>
    Array.from({ length: count }, () => {
      try {
        bucket.take()
        return 1
      } catch (error) {
        assert.is((error as BeamlineError).code, 'EXHAUSTED')
        assert.ok(Number((error as BeamlineError).details['retryAfterMs']) <= 250)
        return 0
      }
    }).reduce<number>((sum, one) => sum + one, 0)
  assert.is(tries(10), 4)
  clock.advance(249)
  assert.is(tries(1), 0)
  clock.advance(1)
  assert.is(tries(5), 1)
  clock.advance(3_600_000)
  assert.is(tries(10), 4)
})

test('a call that turns out to be many is let in, and waited for afterwards', () => {
  const clock = new VirtualClock()
  const bucket = new RateLimit(clock, 4, false).of(new Metadata(), '127.0.0.1:1234')
  bucket.take()
  bucket.owe(10)
  clock.advance(1999)
  assert.throws(() => bucket.take(), /too many calls/)
  clock.advance(1)
  bucket.take()
})

test('without tokens a peer cannot get round its rate by saying some', () => {
  const rates = new RateLimit(new VirtualClock(), 1, false)
  rates.of(bearer('a'), '10.0.0.1:1').take()
  assert.throws(() => rates.of(bearer('b'), '10.0.0.1:2').take(), /too many calls/)
  rates.of(bearer('b'), '10.0.0.2:2').take()
})

test('the health of the server and of its services', () =>
  withServer(system(), {}, async (server) => {
    using peer = new Peer(server.address)
    for (const service of ['', 'snakepit.bridge.BridgeService', 'snakepit.bridge.watch.v1.WatchService'])
      assert.equal((await peer.check(service)).value, { status: 'SERVING' })
    assert.is((await peer.check('no.such.Service')).code, status.NOT_FOUND)
  }))

test('who watches the health of a server that stops is told, and let go', () =>
  withServer(system(), {}, async (server) => {
    using peer = new Peer(server.address)
    const call = peer.health.watch({ service: '' })
    const seen: string[] = []
    const first = new Promise<void>((resolve) => call.once('data', () => resolve()))
    call.on('data', (said: { status: string }) => seen.push(said.status))
    call.on('error', () => {})
    await first
    const ended = once(call, 'end')
    await server.stop()
    await ended
    assert.equal(seen, ['SERVING', 'NOT_SERVING'])
  }))

type Reflecting = ClientDuplexStream<
  object,
  { listServicesResponse?: { service: { name: string }[] }; fileDescriptorResponse?: object }
>

function reflection(address: string): { open(): Reflecting; close(): void } {
  const file = new URL(
    '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    import.meta.url,
  )
  const grpc = loadPackageDefinition(loadSync(file.pathname)) as never as {
    grpc: {
      reflection: {
        v1: { ServerReflection: new (a: string, c: unknown) => { ServerReflectionInfo(): Reflecting; close(): void } }
      }
    }
  }
  const client = new grpc.grpc.reflection.v1.ServerReflection(address, credentials.createInsecure())
  return { open: () => client.ServerReflectionInfo(), close: () => client.close() }
}

test('reflection tells of the services when it is asked for, and only then', async () => {
  await withServer(system(), { reflection: true }, async (server) => {
    const client = reflection(server.address)
    const call = client.open()
    call.write({ listServices: '' })
    const [said] = await once(call, 'data')
    const names = said.listServicesResponse.service.map(({ name }: { name: string }) => name)
    assert.ok(names.includes('snakepit.bridge.BridgeService'), names)
    assert.ok(names.includes('snakepit.bridge.watch.v1.WatchService'), names)
    call.write({ fileContainingSymbol: 'snakepit.bridge.watch.v1.WatchCreate' })
    const [file] = await once(call, 'data')
    assert.ok(file.fileDescriptorResponse)
    const ended = once(call, 'end')
    call.end()
    await ended
    client.close()
  })
  await withServer(system(), {}, async (server) => {
    const client = reflection(server.address)
    const call = client.open()
    const [error] = await once(call, 'error')
    assert.is(error.code, status.UNIMPLEMENTED)
    client.close()
  })
})

test.run()
