import { assert, suite } from '../harness.js'
import { bridgedFor } from '../support/bridged.js'
import { collect, Recorder, range, type Seen } from '../support/recorder.js'

const test = suite('seed: BridgedState streaming')
const withBridged = bridgedFor(test)

test(
  'gRPC streaming delivers updates',
  withBridged(async ({ ctx, server, system: { self } }) => {
    assert.is(ctx.backend, 'bridged')
    await ctx.define('streamed_var', 'float', 1)
    const watch = await ctx.watch(
      ['streamed_var'],
      (name, previous, value, meta) => self.send(self.pid, { name, previous, value, meta }),
      { includeInitial: false },
    )
    await ctx.set('streamed_var', 2)
    await server.sessions.update(ctx.id, 'streamed_var', 3, { source: 'direct' })
    const updates = await collect<Seen>(self, 2)
    assert.equal(
      updates.map(({ name, previous, value }) => [name, previous, value]),
      [
        ['streamed_var', 1, 2],
        ['streamed_var', 2, 3],
      ],
    )
    assert.is(updates[1]?.meta.source, 'direct')
    await ctx.unwatch(watch)
  }),
)

test(
  'prevents stale reads with initial values',
  withBridged(async ({ ctx }) => {
    await ctx.define('race_test', 'integer', 1)
    const seen = new Recorder()
    const watching = ctx.watch(['race_test'], seen.callback, { includeInitial: true })
    const writes = [ctx.set('race_test', 2), ctx.set('race_test', 3)]
    const watch = await watching
    await Promise.all(writes)
    assert.equal(seen.steps, [
      [undefined, 1],
      [1, 2],
      [2, 3],
    ])
    assert.equal(
      seen.changes.map(({ meta }) => meta.initial),
      [true, false, false],
    )
    await ctx.unwatch(watch)
  }),
)

test(
  'BridgedState streaming performance',
  withBridged(async ({ ctx, system: { self } }) => {
    const updates = range(1, 50)
    await ctx.define('stream_perf', 'integer', 0)
    const watch = await ctx.watchOne('stream_perf', (_name, _previous, value) => {
      self.send(self.pid, { value, at: performance.now() })
    })
    const received: number[] = []
    const latencies: number[] = []
    for (const value of updates) {
      const sent = performance.now()
      await ctx.set('stream_perf', value)
      const update = await self.receive<{ value: number; at: number }>()
      received.push(update.value)
      latencies.push((update.at - sent) * 1000)
    }
    assert.equal(received, updates)
    const average = latencies.reduce((sum, one) => sum + one, 0) / latencies.length
    const p99 = latencies.sort((a, b) => a - b)[48] as number
    console.log(`BridgedState latency - Avg: ${average.toFixed(0)} µs, P99: ${p99.toFixed(0)} µs`)
    await ctx.unwatch(watch)
  }),
)

test.run()
