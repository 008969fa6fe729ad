import { Context, type WatchOptions } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { assert, eventually, suite } from '../harness.js'
import { gate, Recorder, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const clock = new VirtualClock()
const test = suite('watch: debounce and throttle')
const system = systemFor(test, { threads: 1, clock })

interface Scene {
  readonly ctx: Context
  readonly seen: Recorder
  /** Writes a variable; when it resolves, the watch has been told. */
  readonly set: (value: number, name?: 'x' | 'y') => Promise<unknown>
}

/** A context with the integers `x` and `y`, 0 each, and a watch of both. */
async function paced(options: WatchOptions, play: (scene: Scene) => Promise<void>): Promise<void> {
  await using ctx = await Context.start(system())
  for (const name of ['x', 'y']) await ctx.define(name, 'integer', 0)
  const seen = new Recorder()
  await using _ = await ctx.watch(['x', 'y'], seen.callback, options)
  await play({ ctx, seen, set: (value, name = 'x') => ctx.set(name, value) })
}

/** How many timers of watches run: those of calls have ended when their answers are in. */
const timers = () => clock.pending

test('W6 debounce tells the last value once its variable has been quiet, from the first value on', () =>
  paced({ debounce: 100 }, async ({ seen, set }) => {
    for (const value of range(1, 5)) {
      await set(value)
      clock.advance(99)
    }
    assert.equal(seen.values, [])
    clock.advance(1)
    assert.equal(seen.steps, [[0, 5]])
    assert.equal([seen.changes[0]?.meta.version, timers()], [5, 0])
    clock.advance(1000)
    await set(6)
    clock.advance(100)
    assert.equal(seen.steps, [
      [0, 5],
      [5, 6],
    ])
  }))

test('W6 debounce waits for each variable by itself', () =>
  paced({ debounce: 100 }, async ({ seen, set }) => {
    await set(1, 'x')
    clock.advance(60)
    await set(2, 'y')
    clock.advance(40)
    assert.equal(seen.values, [1])
    clock.advance(60)
    assert.equal(
      [seen.values, seen.names],
      [
        [1, 2],
        ['x', 'y'],
      ],
    )
  }))

test('W6 throttle tells the first value at once, then the latest of each interval, and always the last', () =>
  paced({ throttle: 100 }, async ({ seen, set }) => {
    await set(1)
    assert.equal(seen.values, [1])
    for (const value of range(2, 5)) await set(value)
    assert.equal(seen.values, [1])
    clock.advance(99)
    assert.equal(seen.values, [1])
    clock.advance(1)
    assert.equal(seen.steps, [
      [0, 1],
      [1, 5],
    ])
    await set(6)
    assert.equal(seen.values, [1, 5], 'the value of an interval begins the next one')
    clock.advance(100)
    assert.equal(seen.steps.at(-1), [5, 6])
    clock.advance(100)
    assert.is(timers(), 0)
    await set(7)
    assert.equal(seen.values, [1, 5, 6, 7], 'after a quiet interval a value is told at once')
    clock.advance(100)
    assert.is(timers(), 0)
  }))

test('W6 throttle counts for each variable by itself', () =>
  paced({ throttle: 100 }, async ({ seen, set }) => {
    await set(1, 'x')
    await set(1, 'y')
    await set(2, 'x')
    clock.advance(50)
    await set(2, 'y')
    assert.equal(seen.names, ['x', 'y'])
    clock.advance(50)
    assert.equal(seen.names, ['x', 'y', 'x', 'y'])
    clock.advance(100)
  }))

for (const pace of ['debounce', 'throttle'] as const) {
  test(`${pace} tells initial values at once`, () =>
    paced({ [pace]: 100, includeInitial: true }, async ({ seen, set }) => {
      assert.equal(
        [seen.names, seen.values],
        [
          ['x', 'y'],
          [0, 0],
        ],
      )
      await set(1)
      clock.advance(100)
      assert.equal(seen.steps.slice(2), [[0, 1]])
      clock.advance(100)
    }))

  test(`${pace} comes after the filter: what is left out neither delays nor replaces a value`, () =>
    paced({ [pace]: 100, filter: (_previous, value) => (value as number) < 10 }, async ({ seen, set }) => {
      await set(1)
      await set(2)
      clock.advance(60)
      await set(10)
      clock.advance(40)
      assert.is(seen.values.at(-1), 2)
      clock.advance(100)
      assert.is(seen.values.at(-1), 2)
    }))

  test(`W6 ${pace}: the last value is told before the deletion of its variable, and nothing after it`, () =>
    paced({ [pace]: 100 }, async ({ ctx, seen, set }) => {
      for (const value of [1, 2]) await set(value)
      for (const value of [1, 2]) await set(value, 'y')
      await ctx.delete('x')
      const x = seen.changes.filter(({ name }) => name === 'x')
      assert.equal(
        x.slice(-2).map(({ value, meta }) => [value, meta.deleted]),
        [
          [2, undefined],
          [undefined, true],
        ],
      )
      assert.is(timers(), 1, 'y still waits')
      clock.advance(100)
      assert.is(seen.changes.filter(({ name }) => name === 'x').length, x.length)
      assert.is(seen.names.at(-1), 'y')
      clock.advance(100)
    }))

  test(`W7 ${pace}: what is held back when the watch stops is never told, and no timer is left`, () =>
    paced({}, async ({ ctx, set }) => {
      const seen = new Recorder()
      const watch = await ctx.watchOne('x', seen.callback, { [pace]: 100 })
      for (const value of [1, 2]) await set(value)
      const told = [...seen.values]
      assert.is(timers(), 1)
      await watch.stop()
      assert.is(timers(), 0)
      clock.advance(1000)
      assert.equal(seen.values, told)
    }))

  test(`W6 ${pace}: what is held back when the context ends is told, then its end`, async () => {
    const ctx = await Context.start(system())
    const x = await ctx.define('x', 'integer', 0)
    const log: unknown[] = []
    const ended = gate()
    const onError = (error: unknown) => {
      log.push((error as { code: string }).code)
      ended.open()
    }
    await x.watch((_name, _previous, value) => void log.push(value), { [pace]: 100, onError })
    for (const value of [1, 2, 3]) await x.set(value)
    await ctx.stop()
    await ended.opened
    assert.equal(log, pace === 'debounce' ? [3, 'UNAVAILABLE'] : [1, 3, 'UNAVAILABLE'])
    assert.is(timers(), 0)
  })
}

test('a paced value waits for a busy callback like any other', () =>
  paced({}, async ({ ctx, set }) => {
    const seen = new Recorder()
    const free = gate()
    const callback: Recorder['callback'] = async (...change) => {
      seen.callback(...change)
      await free.opened
    }
    await using _ = await ctx.watchOne('x', callback, { throttle: 10 })
    for (const value of [1, 2]) await set(value)
    clock.advance(10)
    await set(3)
    clock.advance(10)
    assert.equal(seen.values, [1])
    free.open()
    await eventually(() => assert.equal(seen.values, [1, 2, 3]))
    clock.advance(10)
  }))

test.run()
