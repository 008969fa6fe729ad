import { status } from '@grpc/grpc-js'
import { Policy, Reason } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, eventually, suite } from '../harness.js'
import { created, type RawStream } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: its life', { timeout: 20_000 })
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

const codeOf = async (stream: RawStream) => {
  const how = await stream.end()
  return how === 'ok' ? how : how.code
}

test(
  'I8 a watch with a great backlog takes no more of the stream than one with a little',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('great', 'string', '')
    await ctx.define('little', 'integer', 0)
    const stream = await server.stream()
    const select = (name: string) => ({ selectors: [{ of: { $case: 'name' as const, value: name } }] })
    const great = stream.create(1, 's', { ...select('great'), credit: 1 })
    const little = stream.create(2, 's', { ...select('little'), credit: 1 })
    await stream.when(() => great.snapshots === 1 && little.snapshots === 1)
    for (const _ of range(1, 300)) await ctx.set('great', 'x'.repeat(2000))
    for (const value of range(1, 5)) await ctx.set('little', value)
    await stream.sync('s')
    stream.send({
      $case: 'ack',
      value: {
        watches: [
          { watchId: 1, through: 0, credit: 1000 },
          { watchId: 2, through: 0, credit: 1000 },
        ],
        repliesSeen: 0,
      },
    })
    await Promise.all([stream.fence(1), stream.fence(2)])
    assert.equal([great.events.length, little.events.length], [300, 5])
    const batches = stream.heard.flatMap((kind) => (kind.$case === 'batch' ? kind.value.watchId : []))
    assert.ok(batches.indexOf(2) <= 1, `the little one came at ${batches.indexOf(2)} of ${batches.length}`)
    assert.ok(stream.frames.every((frame) => frame.items.length > 0))
    assert.equal(stream.faults, [])
  }),
)

test(
  'I8 one watch without credit delays no other on its stream, and all are told how far they are',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream({ heartbeatMs: 60 })
    const ids = range(1, 100)
    for (const id of ids) stream.create(id, 's', { credit: id === 50 ? 1 : 10_000 })
    await stream.when(() => ids.every((id) => stream.watch(id).snapshots === 1))
    for (const value of range(1, 50)) await ctx.set('x', value)
    await stream.when(() => ids.every((id) => id === 50 || stream.watch(id).events.length === 50))
    const told = () =>
      stream.heard.some(
        (kind) => kind.$case === 'progress' && ids.every((id) => kind.value.watches.some((one) => one.watchId === id)),
      )
    await stream.when(() => told() && stream.watch(50).head === 51)
    assert.equal([stream.watch(50).events, stream.watch(50).through], [[], 1])
    assert.equal(stream.faults, [])
  }),
)

test(
  'I10 a client that is silent for three beats is forgotten, one that says anything is not',
  withServer(async (server) => {
    await server.session('s')
    const silent = await server.stream({ heartbeatMs: 60 })
    const alive = await server.stream({ heartbeatMs: 60 })
    silent.isAlive = false
    for (const stream of [silent, alive]) stream.create(1, 's')
    assert.equal(await codeOf(silent), status.UNAVAILABLE)
    assert.equal(server.stats['watches'], 1)
    await alive.fence(1)
    await alive.until('pong')
    assert.equal([alive.ended, alive.faults], [undefined, []])
  }),
)

test(
  'I10 a client that goes away without a word leaves no watch behind',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const streams = await Promise.all(range(1, 20).map(() => server.stream()))
    for (const stream of streams) stream.create(1, 's', { credit: 1 })
    await Promise.all(streams.map((stream) => stream.fence(1)))
    for (const value of range(1, 10)) await ctx.set('x', value)
    for (const { call } of streams) call.cancel()
    await eventually(() => assert.equal(server.stats['watches'], 0))
    await ctx.set('x', 11)
  }),
)

test(
  'I11 a newer stream of a client ends the older one of the same instance, and no other',
  withServer(async (server) => {
    await server.session('s')
    const who = { clientId: 'c', clientInstance: 'i' }
    const older = await server.stream(who)
    older.create(1, 's')
    await older.fence(1)
    const other = await server.stream({ clientId: 'c', clientInstance: 'j' })
    const newer = await server.stream(who)
    assert.equal(await codeOf(older), status.ABORTED)
    newer.create(1, 's')
    await newer.fence(1)
    await other.sync('s')
    assert.equal([newer.ended, other.ended, server.stats['watches']], [undefined, undefined, 1])
  }),
)

test(
  'I13 large snapshots take turns; what is refused for the moment says when to come again; none hangs',
  withServer(
    async (server) => {
      const ctx = await server.session('s')
      for (const at of range(0, 299)) await ctx.define(`v${at}`, 'integer', at)
      const streams = await Promise.all(range(1, 6).map(() => server.stream()))
      // The first takes its turn and does not go on.
      const first = streams[0]?.create(1, 's', { credit: 1 })
      await streams[0]?.when(() => first?.variables.length === 1)
      for (const stream of streams.slice(1)) stream.create(1, 's', { credit: 1000 })
      const watches = streams.slice(1).map((stream) => stream.watch(1))
      await Promise.all(
        streams
          .slice(1)
          .map((stream, at) => stream.when(() => watches[at]?.snapshots === 1 || watches[at]?.canceled !== undefined)),
      )
      for (const { canceled, variables } of watches) {
        if (canceled === undefined) assert.equal(variables.length, 300)
        else assert.ok(canceled.reason === Reason.REASON_LIMIT && canceled.retryAfterMs > 0)
      }
      const retry = streams[1]?.create(2, 's', { credit: 1000 })
      await streams[1]?.when(() => retry?.snapshots === 1)
      assert.equal(
        streams.flatMap(({ faults }) => faults),
        [],
      )
    },
    { limits: { maxSnapshots: 1 } },
  ),
)

test(
  'five thousand watches at once are all answered, and each is told one update',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const ids = range(1, 5000)
    stream.send(...ids.map((id) => created(id, 's', { credit: 10 })))
    await stream.when(() => stream.watch(5000).snapshots === 1)
    assert.ok(ids.every((id) => stream.watch(id).snapshots === 1))
    await ctx.set('x', 1)
    await stream.when(() => ids.every((id) => stream.watch(id).events.length === 1))
    assert.equal(stream.faults, [])
  }),
)

test(
  'limits: one watch too many, or too many selectors, are refused; the stream goes on',
  withServer(
    async (server) => {
      await server.session('s')
      const stream = await server.stream()
      for (const id of [1, 2, 3]) stream.create(id, 's')
      stream.send({ $case: 'cancel', value: { watchId: 1 } })
      const select = [{ of: { $case: 'prefix' as const, value: 'a' } }]
      stream.create(4, 's', { selectors: [...select, ...select, ...select] })
      stream.create(5, 's')
      await stream.fence(5)
      const reasons = range(1, 5).map((id) => stream.watch(id).canceled?.reason)
      assert.equal(reasons, [Reason.REASON_CLIENT, undefined, Reason.REASON_LIMIT, Reason.REASON_LIMIT, undefined])
      assert.ok((stream.watch(3).canceled?.retryAfterMs ?? 0) > 0)
    },
    { limits: { maxWatches: 2, maxSelectors: 2 } },
  ),
)

test(
  'what makes no sense ends its watch, or its stream, and nothing else',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const witness = await server.stream()
    const seen = witness.create(1, 's')
    await witness.fence(1)
    const stream = await server.stream()
    const bad = [
      { policy: 9 as never },
      { onGap: 9 as never },
      { policy: Policy.POLICY_SAMPLED },
      { selectors: [{ of: undefined }] },
    ]
    for (const [at, wish] of bad.entries()) stream.create(at + 1, 's', wish)
    await stream.when(() => bad.every((_, at) => stream.watch(at + 1).canceled?.reason === Reason.REASON_INVALID))
    stream.create(9, 's')
    stream.create(9, 's')
    await stream.when(() => stream.watch(9).canceled?.reason === Reason.REASON_INVALID)
    stream.send({ $case: 'ack', value: { watches: [{ watchId: 77, through: 1, credit: 1 }], repliesSeen: 0 } })
    stream.send({ $case: 'cancel', value: { watchId: 77 } }, { $case: 'progress', value: { watchId: 77, atLeast: 0 } })
    await stream.sync('s')
    assert.is(stream.ended, undefined)
    const twice = await server.stream()
    twice.hello()
    const early = server.silent()
    early.create(1, 's')
    const old = server.silent()
    old.hello({ protocol: 99 })
    const empty = await server.stream()
    empty.call.write({ items: [{ kind: undefined }] })
    const none = await server.stream()
    none.create(0, 's')
    const unread = server.bytes()
    // A field that is longer than what there is.
    unread.call.write(Buffer.from([0x0a, 0x7f, 0x01]))
    for (const ended of [twice, early, old, empty, none, unread])
      assert.equal(await codeOf(ended), status.INVALID_ARGUMENT)
    await ctx.set('x', 1)
    await witness.fence(1)
    assert.equal([seen.values, witness.faults], [[1], []])
  }),
)

test(
  'drain: all that was committed is told, then the stream ends by itself',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    stream.acks = true
    const watch = stream.create(1, 's', { credit: 100 })
    await stream.when(() => watch.snapshots === 1)
    const sets = range(1, 5000).map((value) => ctx.set('x', value))
    await Promise.all(sets)
    server.drain()
    const late = stream.set('s', 'x', 1)
    assert.equal(await stream.end(), 'ok')
    assert.equal(watch.values, range(1, 5000))
    assert.equal([watch.through, watch.head], [5001, 5001])
    assert.is((await stream.until('goAway')).graceMs, 1000)
    const { outcome } = (await stream.reply(late)) as { outcome: { value: { code?: string } } }
    assert.is(outcome.value.code, 'UNAVAILABLE')
    assert.equal(stream.faults, [])
  }),
)

test(
  'a client that says no more is answered, and then its stream ends',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const ids = range(1, 100).map((value) => stream.set('s', 'x', value))
    stream.call.end()
    assert.equal(await stream.end(), 'ok')
    assert.ok(ids.every((id) => stream.replies.has(id)))
    assert.is(await ctx.get('x'), 100)
  }),
)

test(
  'a value that fits into no frame of a client ends its watch, and says so',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'string', '')
    const stream = await server.stream({ maxFrameBytes: 4096 })
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    await ctx.set('x', 'small')
    await ctx.set('x', 'x'.repeat(10_000))
    await stream.when(() => watch.canceled !== undefined)
    assert.equal([watch.values, watch.canceled?.reason], [['small'], Reason.REASON_LIMIT])
    const get = stream.command('s', { $case: 'get', value: { names: ['x'] } })
    const { outcome } = (await stream.reply(get)) as { outcome: { value: { code?: string } } }
    assert.is(outcome.value.code, 'OVERFLOW')
  }),
)

test.run()
