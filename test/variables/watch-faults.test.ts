import { type ActorSystem, type BeamlineError, Context, ObserverManager, type Pid } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { defineX, withXFor } from '../support/contexts.js'
import { gate, Recorder } from '../support/recorder.js'
import { systemFor, withSystem } from '../support/system.js'

const test = suite('watch: faults')
const system = systemFor(test, { threads: 1 })

const withX = withXFor(system)

/** Collects the process warnings of watches while `body` runs. */
async function warningsOf(body: () => Promise<void>, count: number): Promise<string[]> {
  const told: string[] = []
  const listen = (warning: Error & { code?: string }) => {
    if (warning.code === 'BEAMLINE_WATCH') told.push(warning.message)
  }
  process.on('warning', listen)
  try {
    await body()
    await eventually(() => told.length >= count)
    return told
  } finally {
    process.off('warning', listen)
  }
}

/** The process of the library's own on this thread that has this label. */
async function hired(own: ActorSystem, label: string): Promise<Pid> {
  for (const pid of own.processes()) if ((await own.info(pid))?.label === label) return pid
  throw new Error(`there is no ${label}`)
}

/** What cannot be made a text of, or be read at all. */
const nasty: [title: string, thrown: unknown][] = [
  ['an object without a prototype', Object.create(null)],
  ['an object with a bad toString', { toString: 1 }],
  ['a proxy that throws', new Proxy({}, { get: fail, getPrototypeOf: fail, ownKeys: fail })],
  ['an error whose stack throws', Object.defineProperty(new Error('hidden'), 'stack', { get: fail })],
  ['undefined', undefined],
]

function fail(): never {
  throw new Error('out of reach')
}

for (const [title, thrown] of nasty) {
  const raise = () => {
    throw thrown
  }
  test(`W4 ${title}, thrown by a callback, a promise, a filter or onError, is a warning and harms nobody`, () =>
    withX(async (ctx, x) => {
      const told = await warningsOf(async () => {
        await x.watch(raise)
        await x.watch(() => Promise.reject(thrown))
        await x.watch(() => {}, { filter: raise })
        await x.watch(raise, { onError: raise })
        const seen = new Recorder()
        await x.watch(seen.callback)
        for (const value of [1, 2]) await x.set(value)
        assert.equal(seen.values, [1, 2])
      }, 8)
      assert.is(told.length, 8, 'each of the four told of both changes')
      assert.ok(told.every((text) => text.startsWith('a watch callback failed: ')))
      assert.is((await ctx.listWatchers()).length, 5)
    }))
}

test('W4 what a promise of a callback is rejected with goes to onError, and the next change is told', () =>
  withX(async (_ctx, x) => {
    const seen = new Recorder()
    const errors: unknown[] = []
    const thrown = Object.create(null)
    const callback = async (...change: Parameters<typeof seen.callback>) => {
      seen.callback(...change)
      throw thrown
    }
    await using _ = await x.watch(callback, { onError: (error) => errors.push(error) })
    for (const value of [1, 2]) await x.set(value)
    await eventually(() => errors.length === 2)
    assert.equal([seen.values, errors.every((error) => error === thrown)], [[1, 2], true])
  }))

test('what anyone sends to the relay of a thread harms no watch', () =>
  withX(async (_ctx, x) => {
    const seen = new Recorder()
    await using watch = await x.watch(seen.callback)
    const relay = await hired(system(), 'WatchRelay')
    const { self } = system()
    const change = { id: x.id, name: 'x', value: 1 }
    for (const message of [
      null,
      'changes',
      {},
      { kind: 'toString' },
      { kind: 'changes' },
      { kind: 'changes', changes: [null] },
      { kind: 'changes', changes: [change] },
      { kind: 'removed' },
      { kind: 'watching', ref: watch.ref },
      { kind: 'watching', ref: watch.ref, manager: self.pid, ids: [x.id], begin: [change] },
      { type: 'DOWN', ref: self.ref(), pid: null, reason: 'killed' },
      { type: 'DOWN', ref: self.ref(), pid: self.pid, reason: 'killed' },
    ]) {
      self.send(relay, message)
      self.cast(relay, message)
    }
    await x.set(1)
    assert.equal([seen.values, watch.state, system().isAlive(relay)], [[1], 'live', true])
  }))

test('W9 watches end with UNAVAILABLE when somebody kills the relay of their thread; a fresh one takes its place', () =>
  withX(async (ctx, x) => {
    const observers = ObserverManager.of(system())
    const { opened, open } = gate<BeamlineError>()
    const watch = await x.watch(() => {}, { onError: (error) => open(error as BeamlineError) })
    const changes = x.changes()
    await x.set(1)
    const relay = await hired(system(), 'WatchRelay')
    system().self.exit(relay, 'kill')
    const { code, message } = await opened
    assert.equal([code, message], ['UNAVAILABLE', 'the watch ended, as the relay of its thread did: killed'])
    assert.is(watch.state, 'failed')
    assert.is((await changes.next()).value?.value, 1)
    await assert.rejects(changes.next(), 'UNAVAILABLE')

    const seen = new Recorder()
    await using _ = await x.watch(seen.callback, { includeInitial: true })
    await x.set(2)
    assert.equal(seen.values, [1, 2])
    await eventually(async () => (await observers.count(x.id)) === 1)
    assert.is((await ctx.listWatchers()).length, 1)
    assert.not(relay.equals(await hired(system(), 'WatchRelay')))
  }))

test('W9 an observer that was added by hand ends, with a warning, when its manager does', async () => {
  await withSystem({ threads: 1 }, async (own) => {
    await using ctx = await Context.start(own)
    const observers = ObserverManager.of(own)
    await observers.add('by-hand', () => {})
    const told = await warningsOf(async () => own.self.exit(await hired(own, 'ObserverManager'), 'kill'), 1)
    assert.equal(told, ['the watch ended, as its observer manager did: killed'])
    await eventually(() => !own.isAlive(ctx.pid))
  })
})

test('of a watch that never began only the rejection tells', async () => {
  const { ctx, x } = await (async () => {
    const ended = await Context.start(system())
    return { ctx: ended, x: await defineX(ended) }
  })()
  const handle = Context.attach(system(), ctx.pid)
  system().self.exit(ctx.pid, 'kill')
  await eventually(() => !system().isAlive(ctx.pid))
  const errors: unknown[] = []
  await assert.rejects(
    handle.watch([x.name], () => {}, { onError: (error) => errors.push(error) }),
    'NOPROC',
  )
  await withX(async (_other, y) => {
    await using _ = await y.watch(() => {})
    await y.set(1)
  })
  assert.equal(errors, [])
})

test('W9 what is held back when its context ends may overflow the buffer: the watch ends once, with OVERFLOW', async () => {
  await using ctx = await Context.start(system())
  for (const name of ['a', 'b', 'c']) await ctx.define(name, 'integer', 0)
  const errors: BeamlineError[] = []
  const free = gate()
  const watch = await ctx.watch(['a', 'b', 'c'], () => free.opened, {
    debounce: 600_000,
    buffer: 1,
    onError: (error) => errors.push(error as BeamlineError),
  })
  for (const name of ['a', 'b', 'c']) await ctx.set(name, 1)
  await ctx.stop()
  await eventually(() => watch.state === 'failed')
  free.open()
  await watch.stop()
  assert.equal(
    errors.map(({ code }) => code),
    ['OVERFLOW'],
  )
})

test('W9 K15 changes that nobody has asked for when the system stops are told, then STOPPED', async () => {
  const changes = await withSystem({ threads: 1 }, async (own) => {
    const ctx = await Context.start(own)
    const x = await defineX(ctx)
    const begun = x.changes()
    for (const value of [1, 2, 3]) await x.set(value)
    return begun
  })
  for (const value of [1, 2, 3]) assert.is((await changes.next()).value?.value, value)
  await assert.rejects(changes.next(), 'STOPPED', /the watch ended, as the system has been stopped/)
  assert.equal(await changes.next(), { done: true, value: undefined })
})

test.run()
