import { Context, ObserverManager, type Pid, Supervisor, type WatcherSpec, WatcherSupervisor } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { Teller } from '../support/watchers.js'

const test = suite('watcher supervisor', { timeout: 60_000 })
const system = systemFor(test, { threads: 2, killGrace: 300 })

const callback = { module: new URL('../fixtures/watcher-callbacks.js', import.meta.url), export: 'ask' }
const spec: WatcherSpec = { id: 'w', context: 'room', names: ['n'], callback }
const observers = () => ObserverManager.of(system()).total()

for (const thread of ['main', 0, 'isolated'] as const) {
  test(`a crashed watcher is restarted where it stood while the writer goes on (${thread})`, async () => {
    await using ctx = await Context.start(system(), { id: 'room' })
    await ctx.define('n', 'integer', 0)
    await using teller = await Teller.start(system())
    const watchers = await WatcherSupervisor.start(system(), [{ ...spec, thread }])
    teller.fates.set(20, 'throw')
    await Promise.all(range(1, 40).map((n) => ctx.set('n', n)))
    await eventually(() => teller.values.at(-1) === 40, { timeout: 20_000 })
    assert.equal(teller.values, [...range(1, 20), ...range(20, 40)])
    await eventually(() => watchers.list()[0]?.revision === 41)
    const [{ id, restarts, resyncs, context, names }] = watchers.list() as [ReturnType<typeof watchers.list>[number]]
    assert.equal([id, restarts, resyncs, context, names], ['w', 1, 0, 'room', ['n']])
    assert.is(await observers(), 1)
    await watchers.stop()
    await eventually(async () => (await observers()) === 0)
  })
}

test('a variable that is deleted while its watcher is dead is left out, and the others are watched on', async () => {
  await using ctx = await Context.start(system(), { id: 'room' })
  for (const name of ['n', 'm']) await ctx.define(name, 'integer', 0)
  await using teller = await Teller.start(system())
  await using watchers = await WatcherSupervisor.start(system(), [{ ...spec, names: ['n', 'm'] }])
  teller.fates.set(5, 'throw')
  // In the order of the context: the watcher hears of the deletion after the value that it dies of, if at all.
  await Promise.all([ctx.set('n', 5), ctx.delete('m'), ctx.set('n', 6)])
  await eventually(() => teller.values.at(-1) === 6, { timeout: 20_000 })
  await ctx.set('n', 7)
  await eventually(() => teller.values.at(-1) === 7)
  assert.equal(teller.values, [5, 5, 6, 7])
  assert.equal([watchers.list()[0]?.restarts, watchers.list()[0]?.resyncs], [1, 1])
  teller.fates.set(8, 'throw')
  await Promise.all([ctx.set('n', 8), ctx.delete('n')])
  await eventually(() => watchers.list()[0]?.pid === undefined)
  assert.is(await observers(), 0)
})

for (const thread of [0, 'isolated'] as const) {
  test(`a watcher in an endless loop that is killed comes back where it stood (${thread})`, async () => {
    await using ctx = await Context.start(system(), { id: 'room' })
    await ctx.define('n', 'integer', 0)
    await using teller = await Teller.start(system())
    await using watchers = await WatcherSupervisor.start(system(), [{ ...spec, thread }])
    teller.fates.set(3, 'loop')
    await Promise.all(range(1, 3).map((n) => ctx.set('n', n)))
    await eventually(() => teller.values.at(-1) === 3, { timeout: 20_000 })
    const [before] = watchers.list()
    const written = Promise.all(range(4, 9).map((n) => ctx.set('n', n)))
    system().self.exit(before?.pid as Pid, 'kill')
    await written
    await eventually(() => teller.values.at(-1) === 9, { timeout: 20_000 })
    assert.equal(teller.values, [...range(1, 3), ...range(3, 9)])
    assert.is(watchers.list()[0]?.restarts, 1)
    assert.is(await observers(), 1)
  })
}

test('a watcher that crashes too often is given up, and may be forgotten', async () => {
  await using ctx = await Context.start(system(), { id: 'room' })
  await ctx.define('n', 'integer', 0)
  await using teller = await Teller.start(system())
  const watchers = await WatcherSupervisor.start(system(), [spec], { maxRestarts: 0 })
  teller.fates.set(1, 'throw')
  await ctx.set('n', 1)
  await eventually(() => !system().isAlive(watchers.supervisor.pid))
  assert.is(watchers.list()[0]?.pid, undefined)
  await eventually(async () => (await observers()) === 0)
  await watchers.stopWatcher('w')
  assert.equal(watchers.list(), [])
})

test('watchers come and go', async () => {
  await using ctx = await Context.start(system(), { id: 'room' })
  await ctx.define('n', 'integer', 0)
  await using teller = await Teller.start(system())
  await using watchers = await WatcherSupervisor.start(system())
  const pid = await watchers.startWatcher(spec)
  assert.ok(watchers.list()[0]?.pid?.equals(pid))
  await assert.rejects(watchers.startWatcher(spec), 'ALREADY_EXISTS')
  await ctx.set('n', 1)
  await eventually(() => teller.values.length === 1)
  await watchers.stopWatcher('w')
  assert.equal(watchers.list(), [])
  await assert.rejects(watchers.stopWatcher('w'), 'NOT_FOUND')
  await eventually(async () => (await observers()) === 0)
})

test('a context is a child, and is found again by its id once it has been restarted', async () => {
  const child = { id: 'context', start: Context.child({ id: 'kept' }) }
  const supervisor = await Supervisor.start(system(), [child])
  const first = Context.attach(system(), 'kept')
  await first.define('n', 'integer', 1)
  system().self.exit(first.pid, 'kill')
  await assert.rejects(first.get('n'), 'NOPROC')
  await eventually(() => !Context.attach(system(), 'kept').pid.equals(first.pid))
  const second = Context.attach(system(), 'kept')
  await second.define('n', 'integer', 2)
  assert.is(await second.get('n'), 2)
  await supervisor.stop()
})

test('removeAllOf removes the observers of one process, wherever they are', async () => {
  await using ctx = await Context.start(system(), { id: 'room' })
  for (const name of ['n', 'm']) await ctx.define(name, 'integer', 0)
  const manager = ObserverManager.of(system())
  const pid = await system().spawn<void>(async (self) => {
    const own = Context.attach(self, 'room')
    for (const name of ['n', 'm']) await own.watchOne(name, () => {})
    await self.receive()
  })
  const watch = await ctx.watchOne('n', () => {})
  await eventually(async () => (await manager.total()) === 3)
  assert.is(await manager.removeAllOf(pid), 2)
  assert.is(await manager.removeAllOf(pid), 0)
  assert.equal([await manager.total(), watch.state], [1, 'live'])
  await assert.rejects(manager.removeAllOf('x' as never), 'INVALID_TYPE')
  system().self.send(pid, 'end')
  await watch.stop()
})

test.run()
