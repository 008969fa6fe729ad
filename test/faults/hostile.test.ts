import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { BridgeServiceClient, BridgeServiceService, PingRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { ClientFrame } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { Bridge, BridgeServer, type BridgeServerOptions, Context } from '../../src/index.js'
import { SeededRandom } from '../../src/testing/seeded-random.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { type Exchange, framed, RawHttp2, throwBytes } from './support/raw-http2.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: hostile peers', { timeout: 40_000 })
const system = systemFor(test, { threads: 1 })
const PING = '/snakepit.bridge.BridgeService/Ping'
const SESSION = '/snakepit.bridge.watch.v1.WatchService/Session'
const seed = Number(process.env['BEAMLINE_SEED'] ?? Date.now() % 1_000_000)
const secret = 'a-token-that-nobody-may-see'
const pem = (name: string) => readFileSync(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url))

type Body = (server: BridgeServer) => Promise<unknown>

/** Runs against a server, and sees afterwards that it serves others as before, in its first life. */
function against(body: Body, options: BridgeServerOptions = {}): () => Promise<void> {
  return async () => {
    const server = await BridgeServer.start(system(), { address: '127.0.0.1:0', ...options })
    // Whoever is still connected is not waited for.
    await using _ = { [Symbol.asyncDispose]: () => server.stop({ grace: 100 }) }
    await body(server)
    const { starts } = await server.stats()
    assert.is(starts, 1, 'the server had to be started again')
    const ctx = await server.sessions.create('after')
    await ctx.define('x', 'integer', 1)
    if (options.tls !== undefined) return
    const token = options.token === undefined ? {} : { token: secret }
    await using bridge = await Bridge.connect(system(), server.address, token)
    const behind = await Context.start(system(), { id: 'after', bridge })
    assert.is(await behind.get('x'), 1)
  }
}

const ping = PingRequest.encode({ message: 'hello' }).finish()
const refusals = new Set([status.INTERNAL, status.INVALID_ARGUMENT, status.UNIMPLEMENTED, status.RESOURCE_EXHAUSTED])
/** The stream was reset, or it has a status that says whose fault it was. */
const isRefused = ({ grpcStatus }: Exchange) => grpcStatus === undefined || refusals.has(grpcStatus)

const malformed: [what: string, body: Uint8Array, headers?: Record<string, string>][] = [
  ['a length prefix that says more than comes', framed(ping, { length: 1000 })],
  ['a length prefix that says less than comes', framed(ping, { length: 2 })],
  ['a length prefix of 4 GiB', framed(ping, { length: 0xffff_ffff })],
  ['half a length prefix', Buffer.from([0, 0, 0])],
  ['nothing', Buffer.alloc(0)],
  ['a truncated gzip', framed(gzipSync(ping).subarray(0, 9), { compressed: 1 }), { 'grpc-encoding': 'gzip' }],
  ['a gzip that is none', framed(ping, { compressed: 1 }), { 'grpc-encoding': 'gzip' }],
  ['an unknown encoding', framed(ping, { compressed: 1 }), { 'grpc-encoding': 'snappy' }],
  ['a field that is longer than its message', framed(Buffer.from([0x0a, 0x7f, 0x41]))],
  ['a group that never ends', framed(Buffer.from([0x0b, 0x0b, 0x0b]))],
  ['a varint that never ends', framed(Buffer.alloc(20, 0xff))],
  ['two messages in a unary call', Buffer.concat([framed(ping), framed(ping)])],
]
for (const [what, body, headers] of malformed) {
  test(
    `fault 22: ${what} is refused, and the server lives`,
    against(async ({ address }) => {
      using raw = new RawHttp2(address)
      const unary = await raw.exchange(PING, body, headers)
      assert.ok(isRefused(unary), `a call: ${unary.grpcStatus}`)
      const stream = await raw.exchange(SESSION, body, headers)
      // A stream on which nothing whole was said has come to its end.
      assert.ok(isRefused(stream) || stream.grpcStatus === status.OK, `a stream: ${stream.grpcStatus}`)
      assert.is((await raw.exchange(PING, framed(ping))).grpcStatus, status.OK)
    }),
  )
}

test(
  'fault 22: other methods, types and paths than those of gRPC are refused',
  against(async ({ address }) => {
    using raw = new RawHttp2(address)
    const { httpStatus } = await raw.exchange(PING, framed(ping), { 'content-type': 'text/plain' })
    assert.is(httpStatus, 415)
    await raw.exchange(PING, framed(ping), { ':method': 'GET' })
    await raw.exchange(PING, framed(ping), { 'content-type': '' })
    for (const path of ['/', '/nothing', `${PING}/more`, '/../etc/passwd'])
      assert.is((await raw.exchange(path, framed(ping))).grpcStatus, status.UNIMPLEMENTED, path)
    await raw.exchange(PING, framed(ping), { 'grpc-timeout': 'soon' })
    // What is said to be compressed, and not how, is taken as it stands.
    await raw.exchange(PING, framed(ping, { compressed: 1 }))
    await raw.exchange(SESSION, framed(ping, { compressed: 1 }))
    await raw.exchange(PING, framed(ping), { authorization: 'Bearer \u00ff'.normalize() })
  }),
)

test(
  'fault 22: text that is no UTF-8 harms nobody',
  against(async ({ address }) => {
    using raw = new RawHttp2(address)
    const { grpcStatus } = await raw.exchange(PING, framed(Buffer.from([0x0a, 2, 0xc3, 0x28])))
    assert.ok(grpcStatus !== undefined)
  }),
)

test(
  `fault 22: random bytes on connections, calls and streams, seed ${seed}`,
  against(async ({ address }) => {
    const random = new SeededRandom(seed)
    const bytes = (length: number) => Buffer.from(range(1, length).map(() => random.below(256)))
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await Promise.all(
      range(1, 20).map((index) => {
        const noise = bytes(random.below(2000))
        return throwBytes(address, index % 2 === 0 ? noise : Buffer.concat([preface, noise]))
      }),
    )
    using raw = new RawHttp2(address)
    const sound = ClientFrame.encode({
      items: [
        {
          kind: {
            $case: 'hello',
            value: {
              protocol: 1,
              clientId: 'c',
              clientInstance: 'i',
              heartbeatMs: 1000,
              maxFrameBytes: 1 << 20,
              repliesSeen: 0,
            },
          },
        },
        {
          kind: {
            $case: 'ack',
            value: { watches: [{ watchId: 7, through: 1, credit: 4_294_967_295 }], repliesSeen: 9 },
          },
        },
      ],
    }).finish()
    await Promise.all(
      range(1, 200).map(async (index) => {
        const message = Buffer.from(index % 2 === 0 ? sound : ping)
        for (let flips = random.below(5); flips >= 0; flips--) message[random.below(message.length)] = random.below(256)
        await raw.exchange(index % 2 === 0 ? SESSION : PING, framed(message))
      }),
    )
  }),
)

test(
  'fault 22: on a stream, what breaks the protocol ends that stream with a reason, and no other',
  against(async (server) => {
    const ctx = await server.sessions.create('s')
    await ctx.define('x', 'integer', 0)
    await using good = new RawStream(server.address)
    good.watch(1, 's')
    await good.next('created')
    const bad: ((stream: RawStream) => void)[] = [
      (stream) => stream.send({ $case: 'ping', value: { nonce: 1 } }),
      (stream) => stream.watch(1, 's'),
    ]
    for (const misbehave of bad) {
      await using stream = new RawStream(server.address, { hello: false })
      misbehave(stream)
      const { code } = await stream.ended
      assert.ok(code !== status.OK && code !== status.UNKNOWN, status[code])
    }
    const hello = { clientId: 'x', clientInstance: '1', heartbeatMs: 1000, maxFrameBytes: 1 << 20, repliesSeen: 0 }
    await using future = new RawStream(server.address, { hello: false })
    future.send({ $case: 'hello', value: { ...hello, protocol: 99 } })
    assert.ok((await future.ended).code !== status.OK)
    await using twice = new RawStream(server.address)
    await twice.next('welcome')
    twice.watch(1, 's')
    twice.watch(1, 's')
    await Promise.race([twice.next('canceled').catch(() => {}), twice.ended])
    await ctx.set('x', 1)
    await good.next('batch')
  }),
)

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
