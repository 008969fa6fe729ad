import { OnGap, Policy, Reason } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { plain } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: what a watch is told')
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

/** A log that forgets all but the last four events. */
const tiny = { events: 4, bytes: 1e6, ageMs: 1e9, fewest: 1 }

test(
  'I5 a watch of the latest has the newest value of each variable, and how many it stands for',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b']) await ctx.define(name, 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_LATEST, credit: 2 })
    await stream.when(() => watch.snapshots === 1)
    for (const value of range(1, 10)) await ctx.set('a', value)
    await ctx.set('b', 1)
    await ctx.set('a', 11)
    await stream.sync('s')
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(
      watch.events.map(({ value, conflated }) => [plain(value), conflated]),
      [
        [1, 0],
        [11, 10],
      ],
    )
    assert.equal(watch.through, 14)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I5 nothing is merged over a deletion or a definition',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_LATEST, credit: 1 })
    await stream.when(() => watch.snapshots === 1)
    for (const value of [1, 2]) await ctx.set('x', value)
    await ctx.delete('x')
    await ctx.define('x', 'integer', 10)
    await ctx.delete('x')
    await ctx.define('x', 'integer', 20)
    for (const value of [21, 22]) await ctx.set('x', value)
    await stream.sync('s')
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(
      watch.events.map(({ op, value, defined, conflated }) => [op, plain(value ?? defined?.value), conflated]),
      [
        [1, 2, 1],
        [3, undefined, 0],
        [2, 20, 0],
        [1, 22, 1],
      ],
    )
    assert.equal(stream.faults, [])
  }),
)

test(
  'I5 a sampled watch waits its interval, and always ends with the newest value',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_SAMPLED, minIntervalMs: 40 })
    await stream.when(() => watch.snapshots === 1)
    const begin = performance.now()
    for (const value of range(1, 200)) await ctx.set('x', value)
    await stream.fence(1)
    const took = performance.now() - begin
    assert.equal(watch.values.at(-1), 200)
    assert.ok(watch.events.length <= took / 39 + 2, `${watch.events.length} events in ${took} ms`)
    const conflated = watch.events.reduce((sum, event) => sum + event.conflated, 0)
    assert.equal(conflated + watch.events.length, 200)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I6 a lossless watch that is overtaken ends loudly, or begins anew when it was asked to',
  withServer(
    async (server) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const stream = await server.stream()
      const strict = stream.create(1, 's', { credit: 1, onGap: OnGap.ON_GAP_FAIL })
      const lenient = stream.create(2, 's', { credit: 1 })
      const latest = stream.create(3, 's', { credit: 1, policy: Policy.POLICY_LATEST })
      await stream.when(() => strict.snapshots === 1 && lenient.snapshots === 1 && latest.snapshots === 1)
      for (const value of range(1, 10)) await ctx.set('x', value)
      await stream.sync('s')
      stream.send(
        ...[1, 2, 3].map((watchId) => ({
          $case: 'ack' as const,
          value: { watches: [{ watchId, through: 0, credit: 10 }], repliesSeen: 0 },
        })),
      )
      await stream.when(() => strict.canceled !== undefined && lenient.snapshots === 2)
      await stream.fence(3)
      assert.equal([strict.canceled?.reason, strict.canceled?.compacted], [Reason.REASON_SLOW_CONSUMER, 7])
      assert.equal(strict.events, [], 'nothing was skipped without a word')
      assert.equal(
        lenient.created.map(({ resume }) => resume),
        [1, 3],
      )
      assert.equal(plain(lenient.variables.at(-1)?.value), 10)
      assert.equal(
        latest.events.map(({ value, conflated }) => [plain(value), conflated]),
        [[10, 9]],
      )
      assert.equal(stream.faults, [])
    },
    { bounds: tiny },
  ),
)

test(
  'I7 no more is sent than was granted, variables of the snapshot included; a watch without credit costs nothing',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b', 'c']) await ctx.define(name, 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { credit: 2 })
    await stream.sync('s')
    assert.equal([watch.variables.length, watch.snapshots], [2, 0])
    stream.ack(1, 3)
    await stream.when(() => watch.snapshots === 1)
    for (const value of range(1, 9)) await ctx.set('a', value)
    await stream.sync('s')
    assert.equal(watch.values, [1, 2])
    stream.ack(1, 4)
    await stream.when(() => watch.events.length === 6)
    await stream.sync('s')
    assert.equal(watch.values, [1, 2, 3, 4, 5, 6])
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(watch.values, range(1, 9))
    assert.equal(stream.faults, [])
  }),
)

test.run()
