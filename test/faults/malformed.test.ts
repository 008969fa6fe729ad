import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { PingRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { ClientFrame } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { SeededRandom } from '../../src/testing/seeded-random.js'
import { assert, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { against as againstIn, type Body } from './support/against.js'
import { type Exchange, framed, RawHttp2, throwBytes } from './support/raw-http2.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: malformed messages', { timeout: 40_000 })
const system = systemFor(test, { threads: 1 })
const PING = '/snakepit.bridge.BridgeService/Ping'
const SESSION = '/snakepit.bridge.watch.v1.WatchService/Session'
const seed = Number(process.env['BEAMLINE_SEED'] ?? Date.now() % 1_000_000)
const against = (body: Body) => againstIn(system, body)

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

test.run()
