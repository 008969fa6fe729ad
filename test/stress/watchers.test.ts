import { type CrowdArgs, tally } from '../fixtures/crowd.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { collect, Recorder, range } from '../support/recorder.js'

const test = suite('stress: many watchers', { timeout: 120_000 })
const withContext = contextsFor(test, { threads: 2 })
const crowd = { module: new URL('../fixtures/crowd.js', import.meta.url), export: 'crowd' }

test(
  'W2 1,000 watchers on three threads each see each of 100 updates, in order',
  withContext(async (ctx, { self }) => {
    await ctx.define('x', 'integer', 0)
    const here = range(1, 334).map(() => new Recorder())
    const watches = await Promise.all(here.map(({ callback }) => ctx.watchOne('x', callback)))
    const pids = await Promise.all(
      [0, 1].map((thread) => {
        const args: CrowdArgs = { context: ctx.id, name: 'x', size: 333, to: self.pid }
        return self.spawn(crowd, args, { thread, monitor: true })
      }),
    )
    assert.equal(await collect(self, 2), ['ready', 'ready'])
    assert.is(new Set(pids.map((pid) => pid.thread)).size, 2)
    const watchers = await ctx.listWatchers()
    assert.equal([watchers.length, watchers.every(({ alive }) => alive)], [1000, true])

    await Promise.all(range(1, 100).map((value) => ctx.set('x', value)))
    for (const pid of pids) self.send(pid, 'report')
    const everything = JSON.stringify(range(1, 100))
    assert.equal(tally(here.map(({ values }) => values)), { [everything]: 334 })
    assert.equal(await collect(self, 2), new Array(2).fill({ [everything]: 333 }))
    await Promise.all(watches.map((watch) => watch.stop()))
  }),
)

test.run()
