import { Context } from '../../src/index.js'
import { type CrowdArgs, type StarterArgs, startWatches, type WriterArgs } from '../fixtures/crowd.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { collect, hear, Recorder, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('stress: the beginning of a watch', { timeout: 120_000 })
const system = systemFor(test, { threads: 2 })
const withContext = contextsFor(test, {}, system)

const fixture = (name: string) => ({ module: new URL('../fixtures/crowd.js', import.meta.url), export: name })

/** What every watch is to see: its initial value, then both writes. */
const whole = JSON.stringify(['undefined>0 initial', '0>1', '1>2'])

test(
  'W1 watch, set, set, none awaited: exactly initial, first, second, 10,000 times of 10,000',
  withContext(async (ctx) => {
    const names = range(1, 100).map((number) => `x${number}`)
    for (const name of names) await ctx.define(name, 'integer', 0)
    assert.equal(await startWatches(ctx, names, 100), { [whole]: 10_000 })
    assert.equal(await ctx.listWatchers(), [])
  }),
)

test(
  'W1 the same from three threads at a time, each with variables of its own',
  withContext(async (ctx, { self }) => {
    const names = (thread: number) => range(1, 20).map((number) => `thread ${thread}, x${number}`)
    for (const name of [0, 1, 2].flatMap(names)) await ctx.define(name, 'integer', 0)
    for (const thread of [0, 1]) {
      const args: StarterArgs = { context: ctx.id, names: names(thread), rounds: 50, to: self.pid }
      await self.spawn(fixture('starter'), args, { thread, monitor: true })
    }
    assert.equal(await startWatches(ctx, names(2), 50), { [whole]: 1000 })
    assert.equal(await collect(self, 2), new Array(2).fill({ [whole]: 1000 }))
  }),
)

test("W1 watches on the context's own thread see what other threads write", async () => {
  const { self } = system()
  for (const thread of [0, 1, 'main'] as const) {
    await using ctx = await Context.start(system(), { thread })
    await ctx.define('x', 'integer', 0)
    const args: CrowdArgs = { context: ctx.id, name: 'x', size: 3, to: self.pid }
    const pid = await self.spawn(fixture('crowd'), args, { thread })
    assert.is(await hear(self), 'ready')
    for (const value of range(1, 5)) await ctx.set('x', value)
    self.send(pid, 'tell')
    assert.equal(await hear(self), { '[1,2,3,4,5]': 3 })
  }
})

test(
  "W1 watches that begin amid another thread's writes see every one after their initial value",
  withContext(async (ctx, { self }) => {
    await ctx.define('x', 'integer', 0)
    const args: WriterArgs = { context: ctx.id, name: 'x', to: self.pid }
    const writer = await self.spawn(fixture('writer'), args, { thread: 0, monitor: true })
    const recorders = range(1, 200).map(() => new Recorder())
    const watches = []
    for (const { callback } of recorders) {
      self.send(writer, 'go')
      watches.push(await ctx.watchOne('x', callback, { includeInitial: true }))
    }
    self.send(writer, 'enough')
    const last = await hear<number>(self)
    assert.is(last, 2000)
    assert.is(await ctx.get('x'), last)
    for (const { values } of recorders) assert.equal(values, range(values[0] as number, last))
    for (const watch of watches) await watch.stop()
  }),
)

test(
  "W11 when an awaited write resolves, the watches of the caller's thread have been called",
  withContext(
    async (ctx, system) => {
      await ctx.define('x', 'integer', 0)
      await ctx.define('y', 'integer', 0)
      const seen = new Recorder()
      const neighbour = new Recorder()
      await using _ = await ctx.watch(['x', 'y'], seen.callback)
      const other = await system.spawn(async (self) => {
        await Context.attach(self, ctx.id).watchOne('x', neighbour.callback)
        system.self.send(system.self.pid, 'ready')
        await self.receive()
      })
      assert.is(await hear(system.self), 'ready')
      for (const value of range(1, 1000)) {
        if (value % 3 === 0) await ctx.updateMany({ x: value, y: value })
        else if (value % 3 === 1) await ctx.set('x', value)
        else await ctx.rollback('x', 0)
        const written = value % 3 === 2 ? 0 : value
        assert.equal([seen.values.at(-1), neighbour.values.at(-1)], [written, written])
      }
      assert.equal([seen.values.length, neighbour.values.length], [1333, 1000])
      system.self.send(other, 'end')
    },
    { history: 1000 },
  ),
)

test.run()
