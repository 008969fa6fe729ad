import { Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { withSystem } from '../support/system.js'
import { Keeper, Teller } from '../support/watchers.js'

const test = suite('the thread of a watched context dies', { timeout: 90_000 })

const callback = { module: new URL('../fixtures/watcher-callbacks.js', import.meta.url), export: 'ask' }
const bomb = { module: new URL('../fixtures/survivors.js', import.meta.url), export: 'bomb' }
const patience = { timeout: 20_000 }

test('a watcher goes on where it stood, and so does its successor', () =>
  withSystem({ threads: 2 }, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', timeout: 60_000 })
    await ctx.define('n', 'integer', 0)
    await using teller = await Teller.start(system)
    await using keeper = await Keeper.start(system, { id: 'w', context: 'room', names: ['n'], callback })
    const toldAll = (last: number) => eventually(() => teller.values.at(-1) === last, patience)
    for (const n of range(1, 5)) await ctx.set('n', n)
    await toldAll(5)
    const dead = ctx.pid
    await system.spawn(bomb, 'process.exit', { thread: 'system' }).catch(() => {})
    await eventually(() => !ctx.pid.equals(dead), patience)
    for (const n of range(6, 7)) await ctx.set('n', n)
    const { revision } = await ctx.set('n', 8)
    // Killed in its callback, it would rightly be told of the change again.
    await eventually(() => keeper.position.revision === revision, patience)
    system.self.exit(keeper.pid, 'kill')
    await eventually(() => keeper.position.starts === 2, patience)
    await ctx.set('n', 9)
    await toldAll(9)
    assert.equal([teller.values, keeper.position.resyncs], [range(1, 9), 0])
    assert.ok(keeper.position.context?.equals(ctx.pid))
  }))

test.run()
