import type { Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { gate, Recorder, range } from '../support/recorder.js'

const test = suite('watch: filter, distinct, delivery, buffer, sinceRevision')
const withContext = contextsFor(test)

async function counter(ctx: Context) {
  return ctx.define('x', 'integer', 0)
}

/** A callback that records and then waits until it is let go. */
function slow() {
  const seen = new Recorder()
  const { opened, open } = gate()
  const callback: Recorder['callback'] = async (...change) => {
    seen.callback(...change)
    await opened
  }
  return { seen, callback, letGo: () => open() }
}

test(
  'filter leaves out what it does not accept, initial values included',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const asked: unknown[] = []
    const seen = new Recorder()
    const filter = (previous: number | undefined, value: number) => {
      asked.push([previous, value])
      return value > 1
    }
    await using _ = await x.watch(seen.callback, { filter, includeInitial: true })
    for (const value of range(1, 3)) await x.set(value)
    assert.equal(seen.values, [2, 3])
    assert.equal(asked, [
      [undefined, 0],
      [0, 1],
      [1, 2],
      [2, 3],
    ])
  }),
)

test(
  'distinct leaves out sets that change nothing, whatever the type, but no initial value',
  withContext(async (ctx) => {
    const examples: Record<string, { initial: unknown; set: unknown[]; told: unknown[] }> = {
      float: { initial: 0, set: [0, Number.NaN, Number.NaN, 1, 1], told: [0, Number.NaN, 1] },
      string: { initial: 'a', set: ['a', 'b', 'b', 'a'], told: ['a', 'b', 'a'] },
      json: { initial: null, set: [null, { a: [1] }, { a: [1] }, { a: [2] }], told: [null, { a: [1] }, { a: [2] }] },
      embedding: { initial: [1, 2], set: [[1, 2], [1, 3], [1]], told: [[1, 2], [1, 3], [1]] },
    }
    for (const [type, { initial, set, told }] of Object.entries(examples)) {
      await ctx.define(type, type as 'json', initial as never)
      const seen = new Recorder()
      await using _ = await ctx.watchOne(type, seen.callback, { distinct: true, includeInitial: true })
      for (const value of set) await ctx.set(type, value)
      assert.equal(seen.values, told, type)
    }
  }),
)

test(
  "W6 'every' keeps all changes for a busy callback; 'latest' keeps the last of each variable",
  withContext(async (ctx) => {
    for (const name of ['a', 'b']) await ctx.define(name, 'integer', 0)
    const [every, latest] = [slow(), slow()]
    await using _ = await ctx.watch(['a', 'b'], every.callback)
    await using __ = await ctx.watch(['a', 'b'], latest.callback, { delivery: 'latest' })
    await ctx.set('a', 1)
    for (const value of [2, 3, 4]) await ctx.updateMany({ a: value, b: value * 10 })
    for (const { letGo } of [every, latest]) letGo()
    await eventually(() => assert.equal(every.seen.values, [1, 2, 20, 3, 30, 4, 40]))
    await eventually(() => assert.equal(latest.seen.values, [1, 4, 40]))
    await ctx.set('a', 5)
    await eventually(() => assert.equal(every.seen.values, [1, 2, 20, 3, 30, 4, 40, 5]))
    await eventually(() => assert.equal(latest.seen.values, [1, 4, 40, 5]))
    assert.equal(latest.seen.steps.slice(1, 3), [
      [1, 4],
      [0, 40],
    ])
  }),
)

test(
  "W6 a 'latest' watch whose callback keeps up sees every change",
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback, { delivery: 'latest' })
    await Promise.all(range(1, 100).map((value) => x.set(value)))
    assert.equal(seen.values, range(1, 100))
  }),
)

test(
  'W9 a watch whose buffer overflows ends with OVERFLOW; what fits is told',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const errors: { code: string; message: string }[] = []
    const { seen, callback, letGo } = slow()
    const options = { buffer: 3, onError: (error: unknown) => errors.push(error as never) }
    await using _ = await x.watch(callback, options)
    for (const value of range(1, 4)) await x.set(value)
    assert.equal(errors, [], 'one is with the callback and three wait')
    await x.set(5)
    assert.equal(
      errors.map(({ code }) => code),
      ['OVERFLOW'],
    )
    assert.match(String(errors[0]?.message), /the watch of x ended: 3 changes wait .* raise buffer, or use .*'latest'/)
    letGo()
    await x.set(6)
    assert.equal(seen.values, [1])
    assert.equal([errors.length, await ctx.listWatchers()], [1, []])
  }),
)

test(
  "'latest' never overflows: it keeps one change of each variable, whatever the buffer",
  withContext(async (ctx) => {
    for (const name of ['a', 'b', 'c']) await ctx.define(name, 'integer', 0)
    const errors: unknown[] = []
    const { seen, callback, letGo } = slow()
    const options = { delivery: 'latest', buffer: 1, onError: (error: unknown) => errors.push(error) } as const
    await using _ = await ctx.watch(['a', 'b', 'c'], callback, options)
    for (const value of range(1, 50)) await ctx.updateMany({ a: value, b: value, c: value })
    letGo()
    await eventually(() => assert.equal(seen.values, [1, 50, 50, 50]))
    assert.equal(seen.names, ['a', 'a', 'b', 'c'])
    assert.equal(errors, [])
  }),
)

test(
  'W10 sinceRevision tells every change after that revision, then goes on',
  withContext(async (ctx) => {
    for (const name of ['x', 'y']) await ctx.define(name, 'integer', 0)
    for (const value of range(1, 5)) await ctx.updateMany({ x: value, y: -value })
    for (const since of [0, 2, 4, 7]) {
      const seen = new Recorder()
      await using _ = await ctx.watchOne('x', seen.callback, { sinceRevision: since })
      await ctx.set('x', since + 100)
      assert.equal(seen.values.at(-1), since + 100)
      assert.ok(seen.revisions.every((revision) => revision > since))
      assert.equal(seen.values.slice(0, 5 - Math.max(since - 2, 0)), range(Math.max(since - 2, 0) + 1, 5))
      assert.ok(seen.changes.every(({ meta }) => !meta.initial))
    }
  }),
)

test(
  'W10 a watch that begins where another ended misses nothing and repeats nothing, whatever is written meanwhile',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const all: unknown[] = []
    let revision = (await ctx.describe('x')).revision
    const writes = range(1, 500).map((value) => x.set(value))
    for (let turn = 0; turn < 20; turn++) {
      const seen = new Recorder()
      const watch = await x.watch(seen.callback, { sinceRevision: revision })
      await x.get()
      await watch.stop()
      all.push(...seen.values)
      revision = seen.revisions.at(-1) ?? revision
    }
    await Promise.all(writes)
    await using _ = await x.watch((_name, _previous, value) => void all.push(value), { sinceRevision: revision })
    assert.equal(all, range(1, 500))
  }),
)

test(
  'W10 a revision whose changes are no longer all kept is refused with COMPACTED, which says where to begin',
  withContext(
    async (ctx) => {
      const x = await counter(ctx)
      for (const value of range(1, 20)) await x.set(value)
      const seen = new Recorder()
      const error = await assert.rejects(
        x.watch(seen.callback, { sinceRevision: 1 }),
        'COMPACTED',
        /changes after revision 1 are no longer all kept: begin at \d+ or later/,
      )
      assert.equal([seen.values, await ctx.listWatchers()], [[], []])
      const since = error.details['compacted'] as number
      await using _ = await x.watch(seen.callback, { sinceRevision: since })
      assert.equal(seen.values, range(since, 20))
      assert.ok(seen.values.length >= 4, 'as many as the log was told to keep')
      await assert.rejects(x.watch(seen.callback, { sinceRevision: since - 1 }), 'COMPACTED')
    },
    { log: 4 },
  ),
)

test(
  'W6 latest leaves out no deletion, though a variable of the same name has come after it',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await x.set(1)
    await ctx.delete('x')
    const again = await counter(ctx)
    const { seen, callback, letGo } = slow()
    await using _ = await again.watch(callback, { sinceRevision: 0, delivery: 'latest' })
    for (const value of [2, 3]) await again.set(value)
    assert.equal(seen.values, [1])
    letGo()
    await eventually(() => seen.changes.length === 3)
    assert.equal(seen.steps, [
      [0, 1],
      [1, undefined],
      [0, 3],
    ])
  }),
)

test(
  'options that make no sense are refused before anything begins',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const seen = new Recorder()
    const cases: [object, RegExp][] = [
      [{ debounce: -1 }, /debounce is -1: give milliseconds, 0 or more/],
      [{ throttle: Number.NaN }, /throttle is NaN: give milliseconds/],
      [{ debounce: 1, throttle: 1 }, /give debounce or throttle, not both/],
      [{ delivery: 'some' }, /delivery is 'some': give 'every' or 'latest'/],
      [{ buffer: 0 }, /buffer is 0: give a whole number above 0/],
      [{ filter: true }, /filter is true: give a function/],
      [{ onError: 'log' }, /onError is 'log': give a function/],
      [{ onResync: 1 }, /onResync is 1: give a function/],
      [{ signal: {} }, /signal is \{\}: give an AbortSignal/],
      [null as never, /options is null: give an object/],
      [{ includeInitial: true, sinceRevision: 0 }, /sinceRevision is 0: it excludes includeInitial/],
      [{ sinceRevision: 2 }, /sinceRevision 2 is no revision of this context: give a whole number from 0 to 1/],
      [{ sinceRevision: -1 }, /give a whole number from 0 to 1/],
      [{ sinceRevision: 0.5 }, /give a whole number from 0 to 1/],
    ]
    for (const [options, message] of cases) {
      await assert.rejects(x.watch(seen.callback, options), 'INVALID_TYPE', message)
    }
    await assert.rejects(ctx.watch([], seen.callback), 'INVALID_TYPE', /give a list of one or more names/)
    await assert.rejects(ctx.watch('x' as never, seen.callback), 'INVALID_TYPE', /give a list of one or more names/)
    await assert.rejects(
      ctx.watch(['x'], 'callback' as never),
      'INVALID_TYPE',
      /callback is 'callback': give a function/,
    )
    await assert.rejects(ctx.watch(['x', 'z'], seen.callback, { includeInitial: true }), 'NOT_FOUND', /z/)
    await x.set(1)
    assert.equal([seen.values, await ctx.listWatchers()], [[], []])
  }),
)

test.run()
