import { assert, eventually, suite } from '../harness.js'
import { bridgedFor } from '../support/bridged.js'
import { hear } from '../support/recorder.js'

// In real time, and in a file of its own: nothing happens for longer than several heartbeats may fail to come.
const QUIET = 35_000

const test = suite('seed: heartbeats of a bridge', { timeout: QUIET + 15_000 })
const withBridged = bridgedFor(test)

test(
  'heartbeats keep stream alive',
  withBridged(async ({ ctx, bridge, system: { self } }) => {
    await ctx.define('heartbeat_test', 'string', 'alive')
    const watch = await ctx.watch(['heartbeat_test'], () => {})
    const states: unknown[] = []
    bridge.on('state', (state: unknown) => states.push(state))
    await eventually(() => watch.lastProofOfLife > 0)
    const begin = watch.lastProofOfLife
    // Nothing but heartbeats says so.
    await eventually(() => watch.lastProofOfLife - begin > QUIET, { timeout: QUIET + 10_000 })

    assert.equal(states, [], 'the one stream has lived all the time')
    assert.is(bridge.state, 'ready')
    const watchers = await ctx.listWatchers()
    assert.is(watchers.length, 1)
    assert.ok(watchers.every(({ alive }) => alive))

    const other = await ctx.watchOne('heartbeat_test', (_name, _previous, value) => {
      self.send(self.pid, { stillAlive: value })
    })
    await ctx.set('heartbeat_test', 'still working')
    assert.equal(await hear(self), { stillAlive: 'still working' })
    await ctx.unwatch(other)
    await ctx.unwatch(watch)
  }),
)

test.run()
