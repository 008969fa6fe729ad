import { type ActorSystem, Context, ObserverManager, type Pid } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { hear, Recorder } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('ObserverManager')
const system = systemFor(test, { threads: 2, killGrace: 50 })

const fixture = (name: string) => ({ module: new URL('../fixtures/watchers.js', import.meta.url), export: name })
let ids = 0
/** A variable id that no other test has. */
const newId = () => `var_${++ids}`

/** All that was notified before has been told to the observers of this thread. */
const settled = (observers: ObserverManager) => observers.total()

test('an observer is told of each notification of its variable, with its metadata, until it is removed', async () => {
  const observers = ObserverManager.of(system())
  const [id, other] = [newId(), newId()]
  const seen = new Recorder()
  const ref = await observers.add(id, seen.callback)
  assert.equal([await observers.count(id), await observers.count(other)], [1, 0])
  observers.notify(id, 1, 2, { source: 'test', unit: 'C' })
  observers.notify(other, 3, 4)
  observers.notify(id, 2, 3)
  await settled(observers)
  assert.equal(
    [seen.names, seen.steps],
    [
      [id, id],
      [
        [1, 2],
        [2, 3],
      ],
    ],
  )
  const { timestamp, ...meta } = seen.changes[0]?.meta ?? { timestamp: 0 }
  assert.ok(timestamp > 0)
  assert.equal(meta, { source: 'test', unit: 'C', initial: false, resync: false, revision: 0, version: 0 })
  assert.is(seen.changes[1]?.meta.source, 'local')

  assert.is(await observers.remove(id, ref), true)
  observers.notify(id, 3, 4)
  await settled(observers)
  assert.equal([seen.values, await observers.count(id)], [[2, 3], 0])
  assert.is(await observers.remove(id, ref), false, 'there is nothing to remove a second time')
})

test('several observers of a variable are told of each notification, once each', async () => {
  const observers = ObserverManager.of(system())
  const id = newId()
  const recorders = [new Recorder(), new Recorder(), new Recorder()]
  const refs = await Promise.all(recorders.map(({ callback }) => observers.add(id, callback)))
  assert.is(new Set(refs.map(String)).size, 3)
  observers.notify(id, 0, 1)
  await settled(observers)
  assert.equal(
    recorders.map(({ values }) => values),
    [[1], [1], [1]],
  )
  for (const ref of refs) await observers.remove(id, ref)
})

test('what another handle removes is told of nothing more, though others go on', async () => {
  const [adder, remover] = [ObserverManager.of(system()), ObserverManager.of(system())]
  const id = newId()
  const [gone, stays] = [new Recorder(), new Recorder()]
  const ref = await adder.add(id, gone.callback)
  const kept = await remover.add(id, stays.callback)
  assert.is(await remover.remove(id, ref), true)
  remover.notify(id, 0, 1)
  await settled(remover)
  assert.equal([gone.values, stays.values], [[], [1]])
  assert.is(await adder.remove(id, ref), false)
  await remover.remove(id, kept)
})

test('an observer is not removed by the id of another variable', async () => {
  const observers = ObserverManager.of(system())
  const [id, other] = [newId(), newId()]
  const ref = await observers.add(id, () => {})
  for (const handle of [observers, ObserverManager.of(system())]) assert.is(await handle.remove(other, ref), false)
  assert.is(await observers.count(id), 1)
  assert.is(await observers.remove(id, ref), true)
})

test('what an observer throws harms no other, and metadata cannot pass for a deletion', async () => {
  const observers = ObserverManager.of(system())
  const id = newId()
  const seen = new Recorder()
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const thrower = await observers.add(id, () => {
    throw new Error('observer failed')
  })
  const ref = await observers.add(id, seen.callback)
  observers.notify(id, 0, 1, { deleted: true })
  observers.notify(id, 1, 2)
  await settled(observers)
  assert.equal(seen.values, [1, 2])
  assert.match((await warned).message, /observer failed/)
  for (const one of [thrower, ref]) await observers.remove(id, one)
})

test("a variable's id observes what its context commits, beside the context's own watches", async () => {
  await using ctx = await Context.start(system(), { thread: 0 })
  const x = await ctx.define('observed', 'integer', 0)
  const observers = ObserverManager.of(system())
  const [seen, watched] = [new Recorder(), new Recorder()]
  const ref = await observers.add(x.id, seen.callback)
  await x.set(1)
  assert.equal(seen.steps, [[0, 1]])
  await using _ = await x.watch(watched.callback)
  assert.is(await observers.count(x.id), 2)
  await x.set(2)
  assert.equal([seen.values, watched.values], [[1, 2], [2]])
  assert.equal(
    [seen.names, seen.revisions],
    [
      ['observed', 'observed'],
      [2, 3],
    ],
  )
  assert.equal((await ctx.listWatchers()).length, 1, 'an observer added by hand is no watch of the context')
  await observers.remove(x.id, ref)
})

test('observers are counted by the id of a variable, or by its name, in all contexts', async () => {
  await using one = await Context.start(system())
  await using two = await Context.start(system(), { thread: 0 })
  const observers = ObserverManager.of(system())
  const variables = [await one.define('same', 'integer', 0), await two.define('same', 'integer', 0)]
  const watches = [await one.watchOne('same', () => {}), await two.watchOne('same', () => {})]
  assert.equal(await Promise.all(variables.map(({ id }) => observers.count(id))), [1, 1])
  assert.equal([await observers.count('same'), await observers.count('other')], [2, 0])
  const ref = await observers.add(variables[1]?.id ?? '', () => {})
  const named = await observers.add('same', () => {})
  assert.equal(await Promise.all(variables.map(({ id }) => observers.count(id))), [1, 2])
  assert.is(await observers.count('same'), 4, 'by the id of a variable with the name, and by the name itself')
  for (const watch of watches) await watch.stop()
  assert.is(await observers.count('same'), 2)
  await observers.remove('same', named)
  await observers.remove(variables[1]?.id ?? '', ref)
  assert.is(await observers.count('same'), 0)
})

test('stats count observers, variables, notifications and records', async () => {
  await using ctx = await Context.start(system())
  for (const name of ['a', 'b']) await ctx.define(name, 'integer', 0)
  const observers = ObserverManager.of(system())
  const before = await observers.stats()
  assert.is(before.observers, await observers.total())
  const watches = [await ctx.watch(['a', 'b'], () => {}), await ctx.watch(['a'], () => {})]
  await ctx.updateMany({ a: 1, b: 1 })
  await ctx.set('a', 2)
  const after = await observers.stats()
  const grown = (key: keyof typeof after) => after[key] - before[key]
  assert.equal([grown('observers'), grown('variables')], [2, 2])
  assert.equal([grown('notifications'), grown('records'), grown('removedByDeath')], [3, 2, 0])
  for (const watch of watches) await watch.stop()
  assert.is(await observers.total(), before.observers)
})

test('an observer may belong to another process of this thread, and ends with it', async () => {
  const { self } = system()
  const observers = ObserverManager.of(self)
  const id = newId()
  const owner = await self.spawn(async (own) => void (await own.receive()))
  const elsewhere = await self.spawn(fixture('observer'), { id, to: self.pid }, { thread: 0 })
  assert.equal(await hear(self), { who: 0, kind: 'ready' })
  const seen = new Recorder()
  await observers.add(id, seen.callback, { owner })
  await assert.rejects(
    observers.add(id, seen.callback, { owner: elsewhere }),
    'NOPROC',
    /no live process of this thread/,
  )
  observers.notify(id, 0, 1)
  assert.equal(await hear(self), { who: 0, kind: 'update', previous: 0, value: 1 })
  await settled(observers)
  for (const pid of [owner, elsewhere]) self.send(pid, 'end')
  await eventually(async () => (await observers.count(id)) === 0)
  observers.notify(id, 1, 2)
  await settled(observers)
  assert.equal(seen.values, [1])
  await assert.rejects(observers.add(id, seen.callback, { owner }), 'NOPROC')
})

interface Death {
  readonly title: string
  readonly thread: 0 | 'isolated'
  readonly die: (system: ActorSystem, pid: Pid) => void
}

const kill: Death['die'] = ({ self }, pid) => self.exit(pid, 'kill')
const order =
  (word: string): Death['die'] =>
  ({ self }, pid) =>
    self.send(pid, word)
const loopThenKill: Death['die'] = (own, pid) => {
  order('loop')(own, pid)
  kill(own, pid)
}
const deaths: Death[] = [
  { title: 'returned', thread: 0, die: order('end') },
  { title: 'crashed', thread: 0, die: order('crash') },
  { title: 'was killed on a shared thread', thread: 0, die: kill },
  { title: 'was killed in an endless loop on a shared thread', thread: 0, die: loopThenKill },
  { title: 'returned on a thread of its own', thread: 'isolated', die: order('end') },
  { title: 'crashed on a thread of its own', thread: 'isolated', die: order('crash') },
  { title: 'was killed in an endless loop on a thread of its own', thread: 'isolated', die: loopThenKill },
]

for (const { title, thread, die } of deaths) {
  test(`W8 the watches and observers of a process that ${title} are gone; those of others go on`, async () => {
    await using ctx = await Context.start(system())
    const x = await ctx.define('x', 'integer', 0)
    const { self } = system()
    const observers = ObserverManager.of(self)
    const { removedByDeath } = await observers.stats()
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback)
    const survivor = await self.spawn(fixture('observer'), { id: x.id, to: self.pid }, { thread: 1 })
    assert.equal(await hear(self), { who: 0, kind: 'ready' })
    for (const [name, args] of [
      ['watcher', { context: ctx.id, name: 'x', to: self.pid, who: 1 }],
      ['observer', { id: x.id, to: self.pid }],
    ] as const) {
      const pid = await self.spawn(fixture(name), args, { thread })
      assert.is((await hear<{ kind: string }>(self)).kind, 'ready')
      assert.is(await observers.count(x.id), 3)
      die(system(), pid)
      await eventually(async () => assert.is(await observers.count(x.id), 2))
      await eventually(() => !system().isAlive(pid))
      await x.set(1)
      assert.equal(await hear(self), { who: 0, kind: 'update', previous: seen.changes.at(-1)?.previous, value: 1 })
    }
    assert.equal([seen.values, (await ctx.listWatchers()).length], [[1, 1], 1])
    assert.is((await observers.stats()).removedByDeath, removedByDeath + 2)
    self.send(survivor, 'end')
    await eventually(async () => assert.is(await observers.count(x.id), 1))
  })
}

test.run()
