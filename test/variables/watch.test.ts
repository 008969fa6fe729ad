import { Context, type Watch } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { gate, Recorder, range } from '../support/recorder.js'

const test = suite('watch: callbacks')
const withContext = contextsFor(test)

async function counter(ctx: Context) {
  return ctx.define('x', 'integer', 0)
}

test(
  'a watch is told of each write, with the value before it, and of nothing before it began',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await x.set(1)
    const seen = new Recorder()
    await using watch = await x.watch(seen.callback)
    assert.equal(watch.names, ['x'])
    for (const value of [2, 2, 3]) await x.set(value)
    assert.equal(seen.steps, [
      [1, 2],
      [2, 2],
      [2, 3],
    ])
    assert.ok(seen.changes.every(({ meta }) => !meta.initial && !meta.resync && meta.deleted === undefined))
  }),
)

test(
  'includeInitial tells the present values first, in the order of the names, each with the words of its last write',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 1, { metadata: { unit: 'm' } })
    await ctx.define('b', 'integer', 2)
    await ctx.set('b', 3, { source: 'writer' })
    const seen = new Recorder()
    await using _ = await ctx.watch(['b', 'a', 'b'], seen.callback, { includeInitial: true })
    assert.equal(
      [seen.names, seen.steps],
      [
        ['b', 'a'],
        [
          [undefined, 3],
          [undefined, 1],
        ],
      ],
    )
    assert.ok(seen.changes.every(({ meta }) => meta.initial))
    const [b, a] = seen.changes.map(({ meta }) => meta)
    assert.equal([b?.source, b?.revision, b?.version], ['writer', 3, 1])
    assert.equal([a?.['unit'], a?.revision, a?.version], ['m', 1, 0])
    await ctx.set('a', 4)
    assert.equal([seen.steps.at(-1), seen.changes.at(-1)?.meta.initial], [[1, 4], false])
  }),
)

test(
  'a watch of two names sees an atomic batch as one revision, each name once',
  withContext(async (ctx) => {
    for (const name of ['a', 'b', 'c']) await ctx.define(name, 'integer', 0)
    const seen = new Recorder()
    await using _ = await ctx.watch(['a', 'b'], seen.callback)
    await ctx.updateMany({ c: 1, b: 1, a: 1 })
    await ctx.updateMany({ c: 2 })
    await ctx.updateMany({ a: 3, b: 3 })
    assert.equal(seen.names, ['b', 'a', 'a', 'b'])
    assert.equal(seen.revisions, [4, 4, 6, 6])
  }),
)

test(
  'W3 callbacks of one watch run one at a time and in order; one that returns a promise is waited for',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const log: string[] = []
    const gates = range(0, 3).map(() => gate())
    await using _ = await x.watch(async (_name, _previous, value) => {
      log.push(`begin ${value}`)
      await gates[value]?.opened
      log.push(`end ${value}`)
    })
    const quick = new Recorder()
    await using __ = await x.watch(quick.callback)
    for (const value of [1, 2, 3]) await x.set(value)
    assert.equal(log, ['begin 1'])
    assert.equal(quick.values, [1, 2, 3], 'another watch does not wait')
    for (const value of [2, 1]) gates[value]?.open()
    await eventually(() => assert.equal(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3']))
    gates[3]?.open()
    await x.set(0)
    await eventually(() => assert.equal(log.slice(5, 7), ['end 3', 'begin 0']))
    gates[0]?.open()
  }),
)

test(
  'W4 what callbacks and filters throw or reject goes to onError, and the watch goes on',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const errors: unknown[] = []
    const seen = new Recorder()
    const bystander = new Recorder()
    const callback = (name: string, previous: unknown, value: number, meta: never) => {
      if (value === 1) throw new Error('thrown')
      if (value === 2) return Promise.reject(new Error('rejected'))
      if (value === 3) throw 'no error at all'
      return seen.callback(name, previous, value, meta)
    }
    const filter = (_previous: unknown, value: number) => {
      if (value === 4) throw new Error('in the filter')
      return true
    }
    await using _ = await x.watch(callback as never, { filter, onError: (error) => errors.push(error) })
    await using __ = await x.watch(bystander.callback)
    for (const value of range(1, 5)) await x.set(value)
    assert.equal(
      errors.map((error) => (error instanceof Error ? error.message : error)),
      ['thrown', 'rejected', 'no error at all', 'in the filter'],
    )
    assert.equal(seen.values, [5])
    assert.equal(bystander.values, range(1, 5))
  }),
)

test(
  'W4 an error without onError, or in it, is a process warning',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const warned = gate<string[]>()
    const warnings: string[] = []
    const listen = (warning: Error & { code?: string }) => {
      if (warning.code !== 'BEAMLINE_WATCH') return
      if (warnings.push(warning.message) === 2) warned.open(warnings)
    }
    process.on('warning', listen)
    try {
      await using _ = await x.watch(() => {
        throw new Error('in the callback')
      })
      await using __ = await x.watch(
        () => {
          throw new Error('never shown')
        },
        {
          onError: () => {
            throw new Error('in onError')
          },
        },
      )
      await x.set(1)
      const [first, second] = await warned.opened
      assert.match(String(first), /in the callback/)
      assert.match(String(second), /in onError/)
    } finally {
      process.off('warning', listen)
    }
  }),
)

test(
  'W5 a callback may set the variable it watches; the watch sees that too',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const seen = new Recorder()
    const done = gate()
    await using _ = await x.watch(async (name, previous, value, meta) => {
      seen.callback(name, previous, value, meta)
      if (value < 5) ctx.put('x', value + 1)
      else done.open()
    })
    await x.set(1)
    await done.opened
    assert.equal(seen.values, [1, 2, 3, 4, 5])
  }),
)

test(
  'W5 an async callback may await a set of the variable it watches',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const done = gate()
    const log: string[] = []
    await using _ = await x.watch(async (_name, _previous, value) => {
      log.push(`begin ${value}`)
      if (value < 3) await x.set(value + 1)
      log.push(`end ${value}`)
      if (value === 3) done.open()
    })
    await x.set(1)
    await done.opened
    assert.equal(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
  }),
)

test(
  'W5 a callback may begin a watch, which sees what comes after',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const inner = new Recorder()
    const watches: Promise<Watch>[] = []
    await using _ = await x.watch((_name, _previous, value) => {
      if (value === 1) watches.push(x.watch(inner.callback, { includeInitial: true }))
    })
    await x.set(1)
    await Promise.all(watches)
    await x.set(2)
    assert.equal(inner.steps, [
      [undefined, 1],
      [1, 2],
    ])
    await (await watches[0])?.stop()
  }),
)

test(
  'W5 W7 a callback may stop its own watch, or one that is still to be told of the same change',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const log: string[] = []
    const watches = new Map<string, Watch>()
    const add = async (name: string, stops?: string) => {
      const watch = await x.watch((_name, _previous, value) => {
        log.push(`${name} ${value}`)
        if (stops !== undefined) void ctx.unwatch(watches.get(stops) as Watch)
      })
      watches.set(name, watch)
    }
    await add('self', 'self')
    await add('killer', 'victim')
    await add('victim')
    await add('witness')
    for (const value of [1, 2]) await x.set(value)
    assert.equal(log, ['self 1', 'killer 1', 'witness 1', 'killer 2', 'witness 2'])
    for (const watch of watches.values()) await watch.stop()
    assert.equal(await ctx.listWatchers(), [])
  }),
)

test(
  'a handle of a variable watches as its context does; listWatchers lists those of its own context',
  withContext(async (ctx, system) => {
    const x = await counter(ctx)
    const [one, two, three] = [new Recorder(), new Recorder(), new Recorder()]
    await using _ = await x.watch(one.callback, { includeInitial: true })
    await using __ = await ctx.watchOne('x', two.callback, { includeInitial: true })
    await using ___ = await ctx.watch(['x'], three.callback, { includeInitial: true })
    await x.set(7)
    assert.equal(
      [one.values, two.values, three.values],
      [
        [0, 7],
        [0, 7],
        [0, 7],
      ],
    )
    await using other = await Context.start(system)
    await using ____ = await (await counter(other)).watch(() => {})
    const watchers = await ctx.listWatchers()
    assert.equal([watchers.length, (await other.listWatchers()).length], [3, 1])
    assert.ok(watchers.every(({ alive, backend }) => alive && backend === 'local'))
  }),
)

test.run()
