import { type BeamlineError, Context, ObserverManager, type Watch } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { assert, eventually, suite } from '../harness.js'
import { defineX, withXFor } from '../support/contexts.js'
import { gate, hear, Recorder, range } from '../support/recorder.js'
import { systemFor, withSystem } from '../support/system.js'

const test = suite('watch: its end')
const system = systemFor(test, { threads: 1 })

const withX = withXFor(system)

/** Resolves with the code of the error that a watch ends with. */
function ending() {
  const { opened, open } = gate<BeamlineError>()
  return { ended: opened, onError: (error: unknown) => open(error as BeamlineError) }
}

test('W7 once stop was called no callback starts, not even for what was written before', () =>
  withX(async (ctx, x) => {
    const seen = new Recorder()
    const watch = await x.watch(seen.callback)
    await x.set(0)
    const writes = range(1, 50).map((value) => x.set(value))
    const stopped = watch.stop()
    await Promise.all([stopped, ...writes])
    assert.equal(seen.values, [0])
    assert.equal(await ctx.listWatchers(), [])
  }))

test('W7 a stop leaves what waits for a busy callback untold', () =>
  withX(async (_ctx, x) => {
    const seen = new Recorder()
    const free = gate()
    const watch = await x.watch(async (...change) => {
      seen.callback(...change)
      await free.opened
    })
    for (const value of [1, 2, 3]) await x.set(value)
    await watch.stop()
    free.open()
    await x.set(4)
    assert.equal(seen.values, [1])
  }))

test('a watch may be stopped twice, by any of its names: stop, unwatch, dispose', () =>
  withX(async (ctx, x) => {
    const observers = ObserverManager.of(system())
    const watch = await x.watch(() => {})
    const other = await x.watch(() => {})
    assert.is(await observers.count(x.id), 2)
    await Promise.all([watch.stop(), ctx.unwatch(watch), watch[Symbol.asyncDispose]()])
    await ctx.unwatch(watch)
    assert.is(await observers.count(x.id), 1, 'the other watch goes on')
    await other.stop()
    assert.is(await observers.count(x.id), 0)
  }))

test('a signal that has aborted before refuses the watch with its reason', () =>
  withX(async (ctx, x) => {
    const reason = new Error('changed my mind')
    const seen = new Recorder()
    const refused = await x.watch(seen.callback, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)
    assert.is(refused, reason)
    await x.set(1)
    assert.equal([seen.values, await ctx.listWatchers()], [[], []])
  }))

test('W7 a signal that aborts while the watch begins lets no callback start', () =>
  withX(async (ctx, x) => {
    const seen = new Recorder()
    const controller = new AbortController()
    const beginning = x.watch(seen.callback, { signal: controller.signal, includeInitial: true })
    controller.abort()
    x.put(1)
    const refused = await beginning.catch((error: Error) => error.name)
    assert.is(refused, 'AbortError')
    await x.set(2)
    assert.equal(seen.values, [])
    await eventually(async () => assert.equal(await ctx.listWatchers(), []))
  }))

test('W7 a signal that aborts later ends the watch at once', () =>
  withX(async (ctx, x) => {
    const seen = new Recorder()
    const controller = new AbortController()
    await x.watch(seen.callback, { signal: controller.signal })
    await x.set(1)
    const write = x.set(2)
    controller.abort()
    await write
    assert.equal(seen.values, [1])
    await eventually(async () => assert.equal(await ctx.listWatchers(), []))
  }))

test('a deleted variable is the last thing its watches hear of, past any filter; one of the same name is another', () =>
  withX(async (ctx, x) => {
    await ctx.define('y', 'integer', 0)
    const seen = new Recorder()
    await using _ = await ctx.watch(['x', 'y'], seen.callback, { filter: () => false })
    await x.set(1)
    await ctx.delete('x')
    assert.equal(
      seen.changes.map(({ name, previous, value, meta }) => [name, previous, value, meta.deleted, meta.revision]),
      [['x', 1, undefined, true, 4]],
    )
    const again = await defineX(ctx)
    await again.set(5)
    assert.is(seen.changes.length, 1)
    const observers = ObserverManager.of(system())
    assert.equal([await observers.count(x.id), await observers.count(again.id)], [0, 0])
    assert.equal(
      (await ctx.listWatchers()).map(({ names }) => names),
      [['y']],
    )
  }))

test('W9 a watch ends with UNAVAILABLE when its context is stopped, and leaves no observer', () =>
  withX(async (ctx, x) => {
    const observers = ObserverManager.of(system())
    const before = await observers.total()
    const { ended, onError } = ending()
    const seen = new Recorder()
    const watch = await x.watch(seen.callback, { onError })
    await x.set(1)
    await ctx.stop()
    const error = await ended
    assert.equal([error.code, error.message], ['UNAVAILABLE', 'the watch ended, as its context did: normal'])
    await eventually(async () => assert.equal([await observers.count(x.id), await observers.total()], [0, before]))
    await watch.stop()
    assert.equal(seen.values, [1])
  }))

test('W9 a watch ends with UNAVAILABLE when its context is killed, and the reason is told', () =>
  withX(async (ctx, x) => {
    const { ended, onError } = ending()
    await x.watch(() => {}, { onError })
    system().self.exit(ctx.pid, 'kill')
    assert.match((await ended).message, /as its context did: killed/)
  }))

test('W9 what was committed before the end of the context is told before it, to a busy callback too', () =>
  withX(async (ctx, x) => {
    const log: unknown[] = []
    const free = gate()
    const { ended, onError } = ending()
    const callback = async (_name: string, _previous: unknown, value: number) => {
      log.push(value)
      await free.opened
    }
    await x.watch(callback, { onError: (error) => onError(log.push('end') && error) })
    for (const value of [1, 2, 3]) await x.set(value)
    const ref = system().self.monitor(ctx.pid)
    await ctx.stop()
    await system().self.receive((message) => ref.equals((message as { ref?: unknown }).ref))
    assert.equal(log, [1])
    free.open()
    assert.is((await ended).code, 'UNAVAILABLE')
    assert.equal(log, [1, 2, 3, 'end'])
  }))

/** What `body` has the process warned of, before a last warning that this asks for. */
async function warningsOf(body: () => Promise<void>): Promise<string[]> {
  const told: string[] = []
  const { opened, open } = gate()
  const listen = (warning: Error & { code?: string }) => {
    if (warning.code === 'BEAMLINE_WATCH') told.push(warning.message)
    if (warning.code === 'LAST') open()
  }
  process.on('warning', listen)
  try {
    await body()
    process.emitWarning('the test has seen enough', { code: 'LAST' })
    await opened
    return told
  } finally {
    process.off('warning', listen)
  }
}

test('W9 a watch without onError ends with a process warning when its context is killed', () =>
  withX(async (ctx, x) => {
    const told = await warningsOf(async () => {
      const watch = await x.watch(() => {})
      system().self.exit(ctx.pid, 'kill')
      await eventually(() => watch.state === 'failed')
    })
    assert.equal(told, ['the watch ended, as its context did: killed'])
  }))

test('W9 a context that ends in good order warns of nothing; onError is told in any case', async () => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'moved' }]) {
    await withX(async (ctx, x) => {
      const { ended, onError } = ending()
      const told = await warningsOf(async () => {
        const watch = await x.watch(() => {})
        await x.watch(() => {}, { onError })
        if (reason === 'normal') await ctx.stop()
        else system().self.exit(ctx.pid, reason)
        await eventually(() => watch.state === 'failed')
      })
      assert.equal([told, (await ended).code], [[], 'UNAVAILABLE'])
    })
  }
})

test('a watch ends once the last of its variables is deleted and that was told, to a busy callback too', () =>
  withX(async (ctx, x) => {
    await ctx.define('y', 'integer', 0)
    const seen = new Recorder()
    const free = gate()
    const watch = await ctx.watch(['x', 'y'], async (...change) => {
      seen.callback(...change)
      await free.opened
    })
    await x.set(1)
    await ctx.delete('x')
    await ctx.set('y', 1)
    await ctx.delete('y')
    assert.equal([seen.values, watch.state], [[1], 'live'])
    free.open()
    await eventually(() => watch.state === 'closed')
    assert.equal(seen.steps, [
      [0, 1],
      [1, undefined],
      [0, 1],
      [1, undefined],
    ])
    await watch.stop()
    assert.equal([watch.state, await ctx.listWatchers()], ['closed', []])
  }))

test('an observer that was added by hand is gone with its variable', () =>
  withX(async (ctx, x) => {
    const observers = ObserverManager.of(system())
    const seen = new Recorder()
    const ref = await observers.add(x.id, seen.callback)
    await ctx.delete('x')
    assert.equal([seen.steps, await observers.count(x.id)], [[[0, undefined]], 0])
    assert.is(await observers.remove(x.id, ref), false)
  }))

test('W11 when an awaited delete resolves, the watches of its thread have been called, wherever the context lives', async () => {
  for (const thread of ['system', 'main', 0] as const) {
    await using ctx = await Context.start(system(), { thread })
    const x = await defineX(ctx)
    const seen = new Recorder()
    await x.watch(seen.callback)
    await ctx.delete('x')
    assert.equal(seen.steps, [[0, undefined]], String(thread))
  }
})

test('W9 K15 watches end with STOPPED when the system is stopped', async () => {
  const { ended, onError } = ending()
  const seen = new Recorder()
  let watch: Watch | undefined
  await withSystem({ threads: 1 }, async (own) => {
    const ctx = await Context.start(own)
    const x = await defineX(ctx)
    watch = await x.watch(seen.callback, { onError })
    await x.set(1)
  })
  const error = await ended
  assert.equal([error.code, error.message], ['STOPPED', 'the watch ended, as the system has been stopped'])
  assert.equal(seen.values, [1])
  await watch?.stop()
})

test('a watch whose request took too long leaves no observer behind', async () => {
  const clock = new VirtualClock()
  await withSystem({ threads: 1, clock, stuckAfter: Number.POSITIVE_INFINITY }, async (own) => {
    const { self } = own
    const ctx = await Context.start(own, { thread: 0 })
    const x = await defineX(ctx)
    const seen = new Recorder()
    const flag = new SharedArrayBuffer(4)
    const blocker = { module: new URL('../fixtures/handles.js', import.meta.url), export: 'blocker' }
    await self.spawn(blocker, { to: self.pid, flag }, { thread: 0, monitor: true })
    assert.is(await hear(self), 'blocked')

    const watching = x.watch(seen.callback, { includeInitial: true })
    clock.advance(5000)
    await assert.rejects(watching, 'CALL_TIMEOUT', /not answered within 5000 ms: give it a longer timeout/)
    Atomics.store(new Int32Array(flag), 0, 1)
    Atomics.notify(new Int32Array(flag), 0)
    await x.set(1)
    await eventually(async () => assert.equal(await ctx.listWatchers(), []))
    assert.equal(seen.values, [])
  })
})

test.run()
