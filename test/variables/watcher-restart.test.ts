import { type ActorSystem, Context, ObserverManager } from '../../src/index.js'
import type { WatcherSpec } from '../../src/variables/watcher-spec.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor, withSystem } from '../support/system.js'
import { Keeper, Teller } from '../support/watchers.js'

const test = suite('watchers that are restarted', { timeout: 60_000 })
const system = systemFor(test, { threads: 2 })

const callbacks = new URL('../fixtures/watcher-callbacks.js', import.meta.url)
const ask = { module: callbacks, export: 'ask' }
const spec: WatcherSpec = { id: 'w', context: 'room', names: ['n'], callback: ask }
const places = ['main', 0, 'isolated'] as const
const patience = { timeout: 20_000 }

const observers = (of: ActorSystem = system()) => ObserverManager.of(of).total()

async function room(of: ActorSystem, options = {}): Promise<Context> {
  const ctx = await Context.start(of, { id: 'room', ...options })
  await ctx.define('n', 'integer', 0)
  await ctx.define('m', 'integer', 0)
  return ctx
}

function scene(body: (ctx: Context, teller: Teller) => Promise<void>, options = {}): () => Promise<void> {
  return async () => {
    await using ctx = await room(system(), options)
    await using teller = await Teller.start(system())
    await body(ctx, teller)
    await eventually(async () => (await observers()) === 0, patience)
  }
}

/** That every value was told in order, and none again but those in whose callback the watcher died. */
function assertEach({ told }: Teller, last: number, crashes: number): void {
  const once = told.filter(({ revision }, index) => revision !== told[index - 1]?.revision)
  assert.equal(
    once.map(({ value }) => value),
    range(1, last),
  )
  assert.ok(told.length - once.length <= crashes, `${told.length - once.length} were repeated in ${crashes} crashes`)
}

const toldAll = (teller: Teller, last: number) => eventually(() => teller.values.at(-1) === last, patience)

for (const thread of places) {
  test(
    `a crash in a callback loses and repeats nothing but that change (${thread})`,
    scene(async (ctx, teller) => {
      await using keeper = await Keeper.start(system(), { ...spec, thread })
      for (const value of [20, 40]) teller.fates.set(value, 'throw')
      await Promise.all(range(1, 60).map((n) => ctx.set('n', n)))
      await toldAll(teller, 60)
      assertEach(teller, 60, 2)
      assert.is(teller.told.length, 62)
      assert.equal(
        keeper.reasons.map((reason) => (reason as { error: { message: string } }).error.message),
        ['crash at 20', 'crash at 40'],
      )
      assert.equal([keeper.position.starts, await observers()], [3, 1])
    }),
  )

  test(
    `a watcher that is killed goes on where it stood (${thread})`,
    scene(async (ctx, teller) => {
      await using keeper = await Keeper.start(system(), { ...spec, thread })
      for (const round of range(0, 4)) {
        const hung = round * 20 + 10
        teller.fates.set(hung, 'hang')
        const writes = range(round * 20 + 1, round * 20 + 20).map((n) => ctx.set('n', n))
        await toldAll(teller, hung)
        system().self.exit(keeper.pid, 'kill')
        await Promise.all(writes)
        await toldAll(teller, round * 20 + 20)
      }
      assertEach(teller, 100, 5)
      assert.equal(keeper.reasons, Array(5).fill('killed'))
      assert.is(await observers(), 1)
    }),
  )
}

test(
  'a callback that throws at once is told that change again, and no other',
  scene(async (ctx, teller) => {
    await using keeper = await Keeper.start(system(), {
      ...spec,
      callback: { ...ask, export: 'tellAndThrow' },
      thread: 'main',
    })
    for (const n of range(1, 35)) await ctx.set('n', n)
    await toldAll(teller, 35)
    assertEach(teller, 35, 3)
    assert.is(keeper.reasons.length, 3)
  }),
)

test(
  'an endless loop in a callback on a thread of its own is killed, and the successor is told that change again',
  scene(async (ctx, teller) => {
    await using keeper = await Keeper.start(system(), { ...spec, thread: 'isolated' })
    teller.fates.set(3, 'loop')
    await Promise.all(range(1, 3).map((n) => ctx.set('n', n)))
    await toldAll(teller, 3)
    system().self.exit(keeper.pid, 'kill')
    await Promise.all(range(4, 10).map((n) => ctx.set('n', n)))
    await toldAll(teller, 10)
    assert.equal(teller.values, [1, 2, 3, 3, ...range(4, 10)])
  }),
)

test('the death of a whole shared thread repeats only what was in progress, for each of its watchers', () =>
  withSystem({ threads: 1, stuckAfter: 300 }, async (other) => {
    const ctx = await room(other)
    const teller = await Teller.start(other)
    const first = await Keeper.start(other, { ...spec, thread: 0 })
    const second = await Keeper.start(other, { ...spec, id: 'm', names: ['m'], thread: 0 })
    teller.fates.set(5, 'loop')
    await Promise.all(range(1, 10).flatMap((n) => [ctx.set('n', n), ctx.set('m', 100 + n)]))
    await eventually(() => teller.values.includes(10) && teller.values.includes(110), patience)
    const of = (name: string) => teller.told.filter((told) => told.name === name).map(({ value }) => Number(value))
    assert.equal([...new Set(of('n'))], range(1, 10))
    assert.equal([...new Set(of('m'))], range(101, 110))
    assert.equal([of('n').length, of('m').length <= 11], [11, true])
    assert.equal([first.position.starts, second.position.starts], [2, 2])
    assert.is(await observers(other), 2)
  }))

test(
  'an atomic batch in the middle of which a watcher dies is told on from there',
  scene(async (ctx, teller) => {
    await using keeper = await Keeper.start(system(), { ...spec, names: ['n', 'm'] })
    await ctx.set('m', 1)
    teller.fates.set(22, 'throw')
    await ctx.updateMany({ n: 11, m: 22 })
    await ctx.updateMany({ n: 33, m: 44 })
    await toldAll(teller, 44)
    assert.equal(teller.values, [1, 11, 22, 22, 33, 44])
    assert.is(keeper.reasons.length, 1)
  }),
)

test(
  'present values are told once, to whichever process has time for them',
  scene(async (ctx, teller) => {
    teller.fates.set(0, 'throw')
    const names = ['n', 'm']
    await ctx.set('m', 7)
    await using keeper = await Keeper.start(system(), { ...spec, names, options: { includeInitial: true } })
    await eventually(() => teller.told.length === 3)
    const { revision } = await ctx.set('n', 1)
    await eventually(() => keeper.position.revision === revision, patience)
    assert.equal(
      teller.told.map(({ name, value, initial }) => [name, value, initial]),
      [
        ['n', 0, true],
        ['n', 0, true],
        ['m', 7, true],
        ['n', 1, false],
      ],
    )
    system().self.exit(keeper.pid, 'kill')
    await ctx.set('n', 2)
    await toldAll(teller, 2)
    assert.is(teller.told.length, 5)
  }),
)

test(
  'without resume a restarted watcher begins anew',
  scene(async (ctx, teller) => {
    await using keeper = await Keeper.start(system(), { ...spec, resume: false, options: { includeInitial: true } })
    await toldAll(teller, 0)
    teller.fates.set(1, 'hang')
    await ctx.set('n', 1)
    await toldAll(teller, 1)
    await ctx.set('n', 2)
    system().self.exit(keeper.pid, 'kill')
    await toldAll(teller, 2)
    assert.equal(
      teller.told.map(({ value, initial }) => [value, initial]),
      [
        [0, true],
        [1, false],
        [2, true],
      ],
    )
  }),
)

test(
  'changes that are no longer kept are made up for by the present value, which says so',
  scene(
    async (ctx, teller) => {
      await using keeper = await Keeper.start(system(), { ...spec, names: ['n', 'm'] })
      teller.fates.set(1, 'hang')
      await ctx.set('n', 1)
      await toldAll(teller, 1)
      for (const n of range(2, 50)) await ctx.set('n', n)
      system().self.exit(keeper.pid, 'kill')
      await toldAll(teller, 50)
      await ctx.set('n', 51)
      await toldAll(teller, 51)
      const told = teller.told.map(({ name, value, resync }) => [name, value, resync])
      assert.equal(told, [
        ['n', 1, false],
        ['n', 50, true],
        ['n', 51, false],
      ])
      assert.is(keeper.position.resyncs, 1)
    },
    { log: 5 },
  ),
)

test(
  'a quiet variable has lost nothing, however much is written beside it',
  scene(
    async (ctx, teller) => {
      await using keeper = await Keeper.start(system(), spec)
      await ctx.set('n', 1)
      await toldAll(teller, 1)
      for (const m of range(1, 50)) await ctx.set('m', m)
      system().self.exit(keeper.pid, 'kill')
      await eventually(async () => keeper.position.starts === 2 && (await observers()) === 1)
      await ctx.set('n', 2)
      await toldAll(teller, 2)
      assert.equal([teller.values, keeper.position.resyncs], [[1, 2], 0])
    },
    { log: 5 },
  ),
)

test('a watcher waits for its context, and begins with the beginning of the next one', async () => {
  await using teller = await Teller.start(system())
  const before = await room(system())
  await using keeper = await Keeper.start(system(), spec)
  for (const n of range(1, 5)) await before.set('n', n)
  await toldAll(teller, 5)
  await before.stop()
  await eventually(() => keeper.position.starts === 2)
  await using next = await Context.start(system(), { id: 'room' })
  await next.define('n', 'integer', 0)
  for (const n of range(101, 103)) await next.set('n', n)
  await toldAll(teller, 103)
  assert.equal(teller.values, [...range(1, 5), ...range(101, 103)])
  assert.ok(keeper.position.context?.equals(next.pid))
})

test(
  'a deletion is told, and with the last one the watcher ends',
  scene(async (ctx, teller) => {
    await using keeper = await Keeper.start(system(), { ...spec, names: ['n', 'm'] })
    await eventually(async () => (await observers()) === 1)
    await ctx.delete('n')
    await eventually(() => teller.told.length === 1)
    system().self.exit(keeper.pid, 'kill')
    await eventually(() => keeper.position.starts === 2)
    await ctx.set('m', 1)
    await toldAll(teller, 1)
    await ctx.delete('m')
    await eventually(() => keeper.reasons.at(-1) === 'normal')
    assert.equal(
      teller.told.map(({ name, deleted }) => [name, deleted]),
      [
        ['n', true],
        ['m', false],
        ['m', true],
      ],
    )
  }),
)

test('a first watcher that cannot begin tells its starter why', async () => {
  const failing = async (more: Partial<WatcherSpec>, reason: RegExp) => {
    const error = await assert.rejects(Keeper.start(system(), { ...spec, ...more }), 'NOPROC')
    assert.match(JSON.stringify(error.details), reason)
  }
  await failing({}, /room.*NOT_FOUND/)
  await using ctx = await room(system())
  await failing({ names: ['missing'] }, /NOT_FOUND/)
  await failing({ callback: { ...ask, export: 'noFunction' } }, /BAD_ENTRY/)
  await failing({ callback: { module: `${callbacks}x` } }, /BAD_ENTRY/)
  assert.equal(await ctx.listWatchers(), [])
})

test('a specification that makes no sense is refused', async () => {
  const refused = (more: object, code: 'INVALID_TYPE' | 'BAD_ENTRY', words: RegExp) =>
    assert.rejects(async () => Keeper.start(system(), { ...spec, ...more }), code, words)
  await refused({ id: '' }, 'INVALID_TYPE', /id/)
  await refused({ context: 1 }, 'INVALID_TYPE', /context/)
  await refused({ names: [] }, 'INVALID_TYPE', /names/)
  await refused({ options: { debounce: -1 } }, 'INVALID_TYPE', /debounce/)
  await refused({ options: { filter: () => true } }, 'INVALID_TYPE', /filter/)
  await refused({ callback: { module: './relative.js' } }, 'BAD_ENTRY', /relative/)
})

test.run()
