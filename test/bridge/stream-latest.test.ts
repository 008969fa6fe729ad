import { Policy } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { plain } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: watches of the latest')
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

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

test.run()
