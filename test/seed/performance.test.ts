import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder, range } from '../support/recorder.js'

const test = suite('seed: performance characteristics')
const withContext = contextsFor(test)

test(
  'LocalState watching performance',
  withContext(async (ctx, { self }) => {
    const updates = range(1, 100)
    await ctx.define('perf_var', 'integer', 0)
    const watch = await ctx.watchOne('perf_var', (_name, _previous, value) => {
      self.send(self.pid, { value, at: performance.now() })
    })
    const received: number[] = []
    const latencies: number[] = []
    for (const value of updates) {
      const sent = performance.now()
      await ctx.set('perf_var', value)
      const update = await self.receive<{ value: number; at: number }>()
      received.push(update.value)
      latencies.push((update.at - sent) * 1000)
    }
    assert.equal(received, updates)
    const average = latencies.reduce((sum, one) => sum + one, 0) / latencies.length
    const p99 = latencies.sort((a, b) => a - b)[98] as number
    console.log(`LocalState latency - Avg: ${average.toFixed(0)} µs, P99: ${p99.toFixed(0)} µs`)
    await ctx.unwatch(watch)
  }),
)

test(
  'high-frequency update handling',
  withContext(async (ctx) => {
    const rapid = await ctx.define('rapid_fire', 'integer', 0)
    const seen = new Recorder()
    const watch = await ctx.watchOne('rapid_fire', seen.callback, {
      filter: (previous, value) => Number(value) - Number(previous) >= 10,
    })
    // Of every ten, nine are steps of one and the tenth is one of eleven.
    const updates = range(1, 1000).map((i) => i + 10 * Math.floor(i / 10))
    await Promise.all(updates.map((value) => rapid.set(value)))
    const significant = updates.filter((value, index) => value - (updates[index - 1] ?? 0) >= 10)
    assert.is(significant.length, 100)
    assert.equal(seen.values, significant)
    assert.is(await rapid.get(), updates.at(-1))
    await ctx.unwatch(watch)
  }),
)

test.run()
