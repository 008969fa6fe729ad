import { Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { gate, Recorder } from '../support/recorder.js'
import { withSystem } from '../support/system.js'

const test = suite('watches of the shell', { timeout: 30_000 })

for (const thread of ['main', 'system'] as const) {
  test(`W8 they end with NOPROC when that process dies, and the next one may watch (context on ${thread})`, () =>
    withSystem({ threads: 1 }, async (system) => {
      const ctx = await Context.start(system, { thread })
      const x = await ctx.define('x', 'integer', 0)
      const seen = new Recorder()
      const { opened: ended, open: end } = gate<unknown>()
      const watch = await x.watch(seen.callback, { onError: end })
      const changes = ctx.changes(['x'])
      await x.set(1)
      assert.equal(await changes.next(), {
        done: false,
        value: { name: 'x', previous: 0, value: 1, meta: seen.changes[0]?.meta },
      })
      const next = changes.next()
      const shell = system.self.pid
      await system.spawn((self) => self.exit(shell, 'kill'))
      const { code, details } = (await ended) as { code: string; details: { reason: unknown } }
      assert.equal([code, details.reason, watch.state], ['NOPROC', 'killed', 'failed'])
      await assert.rejects(next, 'NOPROC')
      const again = Context.attach(system, ctx.id)
      await eventually(async () => (await again.listWatchers()).length === 0)
      const after = new Recorder()
      await again.watchOne('x', after.callback)
      await again.set('x', 2)
      assert.equal([seen.values, after.values], [[1], [2]])
    }))
}

test.run()
