import { Context, ObserverManager, type Process } from '../../src/index.js'
import type { WatcherArgs, WatcherReport } from '../fixtures/watchers.js'
import { assert, eventually, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { collect, Recorder, range } from '../support/recorder.js'

const watcher = { module: new URL('../fixtures/watchers.js', import.meta.url), export: 'watcher' }

const test = suite('seed: LocalState reactive watching')
const withContext = contextsFor(test, { threads: 2 })

test(
  'receives real-time updates',
  withContext(async (ctx, system) => {
    const reactive = await ctx.define('reactive_var', 'float', 0)
    const watch = await ctx.watch(
      ['reactive_var'],
      (name, previous, value, meta) => system.self.send(system.self.pid, { name, previous, value, meta }),
      { includeInitial: false },
    )
    const values = range(1, 10).map((i) => i * 0.1)
    for (const value of values) await reactive.set(value)
    const updates = await collect<{ name: string; value: number; previous: number }>(system.self, 10)
    assert.equal(
      updates.map(({ value }) => value),
      values,
    )
    assert.equal(
      updates.map(({ previous }) => previous),
      [0, ...values.slice(0, -1)],
    )
    assert.ok(updates.every(({ name }) => name === 'reactive_var'))
    await ctx.unwatch(watch)
  }),
)

test(
  'filtering reduces notifications',
  withContext(async (ctx) => {
    const noisy = await ctx.define('noisy_var', 'integer', 0)
    const seen = new Recorder()
    const watch = await ctx.watch(['noisy_var'], seen.callback, {
      filter: (_, value) => Number(value) % 2 === 0,
      includeInitial: true,
    })
    for (const value of range(1, 10)) await noisy.set(value)
    assert.equal(seen.values, [0, 2, 4, 6, 8, 10])
    await ctx.unwatch(watch)
  }),
)

/** A watcher in a process of its own, once it watches. */
async function watching(self: Process, args: Omit<WatcherArgs, 'to'>, thread: 'auto' | 'isolated') {
  const pid = await self.spawn(watcher, { ...args, to: self.pid } satisfies WatcherArgs, { thread })
  const isReady = (message: unknown) => {
    const { who, kind } = message as WatcherReport
    return kind === 'ready' && who === (args.who ?? 0)
  }
  await self.receive(isReady)
  return pid
}

for (const thread of ['auto', 'isolated'] as const) {
  test(
    `automatic cleanup on process death${thread === 'isolated' ? ' (isolated)' : ''}`,
    withContext(async (ctx, { self }) => {
      const { id } = await ctx.define('cleanup_test', 'string', 'initial')
      const observers = ObserverManager.of(self)
      const pid = await watching(self, { context: ctx.id, name: 'cleanup_test' }, thread)
      assert.is(await observers.count(id), 1)
      assert.equal(
        (await ctx.listWatchers()).map(({ names, owner, alive }) => [names, owner.toString(), alive]),
        [[['cleanup_test'], pid.toString(), true]],
      )

      const ref = self.monitor(pid)
      self.exit(pid, 'kill')
      const down = await self.receive<{ ref: unknown; reason: unknown }>()
      assert.ok(ref.equals(down.ref))
      assert.is(down.reason, 'killed')
      await eventually(async () => (await observers.count(id)) === 0)
      assert.equal(await ctx.listWatchers(), [])

      await ctx.set('cleanup_test', 'updated')
      assert.is(await ctx.get('cleanup_test'), 'updated')
    }),
  )
}

test(
  'handles concurrent watchers',
  withContext(async (ctx, system) => {
    const { self } = system
    await ctx.define('concurrent_var', 'integer', 0)
    const pids = await Promise.all(
      range(1, 10).map((who) =>
        watching(self, { context: ctx.id, name: 'concurrent_var', who }, who > 8 ? 'isolated' : 'auto'),
      ),
    )
    assert.is(new Set(pids.map(({ thread }) => thread)).size, 4, 'two shared threads and two isolated ones')
    await ctx.set('concurrent_var', 42)
    const updates = await collect<WatcherReport>(self, 10)
    assert.equal(
      updates.map(({ who }) => who).sort((a, b) => a - b),
      range(1, 10),
    )
    assert.ok(updates.every(({ kind, value, previous }) => kind === 'update' && value === 42 && previous === 0))

    for (const pid of pids) self.send(pid, 'unwatch')
    const stopped = await collect<WatcherReport>(self, 10)
    assert.ok(stopped.every(({ kind }) => kind === 'stopped'))
    assert.equal(await ctx.listWatchers(), [])
    for (const pid of pids) self.send(pid, 'end')
    await eventually(() => pids.every((pid) => !system.isAlive(pid)))
  }),
)

test(
  'prevents stale reads with initial values',
  withContext(async (ctx) => {
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
  'a second handle to the context, in the same process, sees what the first one writes',
  withContext(async (ctx, system) => {
    await ctx.define('shared', 'integer', 1)
    const other = Context.attach(system, ctx.id)
    const seen = new Recorder()
    await using _ = await other.watchOne('shared', seen.callback)
    await ctx.set('shared', 2)
    assert.equal(seen.steps, [[1, 2]])
    assert.is(other.peek('shared'), 2)
  }),
)

test.run()
