import { readFileSync } from 'node:fs'
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { BridgeServiceClient, BridgeServiceService, PingRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { Bridge, BridgeServer, type BridgeServerOptions, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { against as againstIn, type Body, secret } from './support/against.js'
import { framed, RawHttp2, throwBytes } from './support/raw-http2.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: hostile peers', { timeout: 40_000 })
const system = systemFor(test, { threads: 1 })
const PING = '/snakepit.bridge.BridgeService/Ping'
const pem = (name: string) => readFileSync(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url))
const against = (body: Body, options?: BridgeServerOptions) => againstIn(system, body, options)

test(
  'fault 23: what is too large is refused where it is set, and by the server',
  against(
    async (server) => {
      const ctx = await server.sessions.create('s')
      await ctx.define('text', 'string', '')
      await using bridge = await Bridge.connect(system(), server.address, {})
      const behind = await Context.start(system(), { id: 's', bridge })
      await assert.rejects(behind.set('text', 'x'.repeat(5 << 20)))
      await behind.set('text', 'still here')
      assert.is(await ctx.get('text'), 'still here')
      assert.is(bridge.state, 'ready')
      using raw = new RawHttp2(server.address)
      const huge = PingRequest.encode({ message: 'x'.repeat(50 << 20) }).finish()
      const { grpcStatus } = await raw.exchange(PING, framed(huge))
      assert.ok(grpcStatus === status.RESOURCE_EXHAUSTED || grpcStatus === undefined)
    },
    { limits: { maxMessageBytes: 4 << 20 } },
  ),
)

test(
  'fault 23: a session that is larger than a message arrives in parts',
  against(
    async (server) => {
      const ctx = await server.sessions.create('s')
      const names = range(1, 64).map((index) => `text${index}`)
      for (const name of names) await ctx.define(name, 'string', name.padEnd(64 << 10, '.'))
      await using bridge = await Bridge.connect(system(), server.address, {})
      const behind = await Context.start(system(), { id: 's', bridge })
      assert.equal(
        (await behind.list()).map(({ value }) => String(value).slice(0, 7)),
        names.map((name) => name.padEnd(7, '.')),
      )
      await using raw = new RawStream(server.address)
      raw.watch(1, 's')
      await raw.next('snapshot', ({ last }) => last)
      assert.ok(raw.all('snapshot').length > 1)
    },
    { limits: { maxMessageBytes: 1 << 20 } },
  ),
)

test(
  'fault 24: without the token, or with a wrong one, nothing is told and nobody tries for ever',
  against(
    async (server) => {
      await server.sessions.create('hidden')
      for (const token of [undefined, 'wrong', `${secret}x`, secret.slice(1)]) {
        const error = await assert.rejects(
          (async () => {
            await using bridge = await Bridge.connect(system(), server.address, token === undefined ? {} : { token })
            await Context.start(system(), { id: 'hidden', bridge })
          })(),
          'UNAUTHENTICATED',
        )
        assert.not.match(error.message, new RegExp(secret))
        const client = new BridgeServiceClient(server.address, credentials.createInsecure())
        const answer = await new Promise<{ code: status; details: string }>((resolve) =>
          client.getSession({ sessionId: 'hidden' }, (failure) => resolve(failure ?? { code: status.OK, details: '' })),
        )
        client.close()
        assert.is(answer.code, status.UNAUTHENTICATED)
        assert.not.match(answer.details, /hidden/)
        await using stream = new RawStream(server.address, token === undefined ? {} : { token })
        assert.is((await stream.ended).code, status.UNAUTHENTICATED)
      }
    },
    { token: secret },
  ),
)

test(
  'fault 24: a token for one session is none for another, and does not tell which there are',
  against(
    async (server) => {
      await server.sessions.create('mine')
      await server.sessions.create('other')
      await using bridge = await Bridge.connect(system(), server.address, { token: 'bound' })
      await Context.start(system(), { id: 'mine', bridge })
      const texts = await Promise.all(
        ['other', 'none'].map(async (id) => {
          const error = await assert.rejects(Context.start(system(), { id, bridge }), 'PERMISSION_DENIED')
          return error.message.replaceAll(id, 'ID')
        }),
      )
      assert.is(texts[0], texts[1])
    },
    {
      token: [
        { token: 'bound', sessions: 'mine' },
        { token: secret, sessions: '*' },
      ],
    },
  ),
)

test(
  'fault 24: plaintext to TLS, TLS by another authority, and without the certificate of a client',
  against(
    async (server) => {
      const connect = async (options: Parameters<typeof Bridge.connect>[2]) => {
        await using bridge = await Bridge.connect(system(), server.address, { timeout: 1500, ...options })
        const ctx = await Context.start(system(), { id: 's', bridge })
        await ctx.stop()
      }
      await throwBytes(server.address, Buffer.from('GET / HTTP/1.1\r\n\r\n'))
      await assert.rejects(connect({}), 'UNAVAILABLE')
      await assert.rejects(connect({ tls: { ca: pem('other-ca.pem') } }), 'UNAVAILABLE')
      await assert.rejects(connect({ tls: { ca: pem('ca.pem') } }), 'UNAVAILABLE')
      const own = { cert: pem('client.pem'), key: pem('client.key') }
      await connect({ tls: { ca: pem('ca.pem'), ...own } })
    },
    {
      get tls() {
        return { cert: pem('server.pem'), key: pem('server.key'), ca: pem('ca.pem'), requestClientCert: true }
      },
    },
  ),
)

test('fault 33: a server without the native service is named as such, and not tried for ever', async () => {
  const old = new Server()
  old.addService(BridgeServiceService, {})
  const port = await new Promise<number>((resolve, reject) =>
    old.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  try {
    await assert.rejects(Bridge.connect(system(), `127.0.0.1:${port}`), 'UNAVAILABLE', /no such service/)
  } finally {
    old.forceShutdown()
  }
})

test('fault 33: a client that knows only the compatible service works beside one that knows the native one', async () => {
  await using server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
  const ctx = await server.sessions.create('s')
  await ctx.define('x', 'integer', 1)
  await using bridge = await Bridge.connect(system(), server.address)
  const behind = await Context.start(system(), { id: 's', bridge })
  const seen: unknown[] = []
  await behind.watch(['x'], (_name, _previous, value) => seen.push(value))
  const client = new BridgeServiceClient(server.address, credentials.createInsecure())
  await new Promise<void>((resolve, reject) =>
    client.setVariable(
      {
        sessionId: 's',
        variableIdentifier: 'x',
        value: { typeUrl: 'type.googleapis.com/snakepit.integer', value: Buffer.from('2') },
        metadata: {},
        expectedVersion: 0,
        binaryValue: Buffer.alloc(0),
      },
      (error) => (error ? reject(error) : resolve()),
    ),
  )
  client.close()
  await eventually(() => assert.equal(seen, [2]))
})

test.run()
