import { BeamlineError } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder, range } from '../support/recorder.js'

const test = suite('Context: batches, history and metadata')
const withContext = contextsFor(test)

test(
  'V3 an atomic updateMany is one revision',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    await ctx.define('b', 'string', '')
    await ctx.set('a', 1)
    const seen = new Recorder()
    await using _ = await ctx.watch(['a', 'b'], seen.callback)
    const written = await ctx.updateMany({ a: 2, b: 'two' }, { source: 'batch' })
    assert.equal(written, { revision: 4, versions: { a: 2, b: 1 }, errors: {} })
    assert.equal(seen.revisions, [4, 4])
    assert.equal(
      seen.changes.map(({ meta }) => meta.source),
      ['batch', 'batch'],
    )
    assert.equal((await ctx.set('a', 3)).revision, 5)
  }),
)

test(
  'V3 an atomic updateMany with one bad entry changes nothing, and says what is wrong with each',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    await ctx.define('b', 'integer', 0)
    const seen = new Recorder()
    await using _ = await ctx.watch(['a', 'b'], seen.callback)
    const error = await assert.rejects(
      ctx.updateMany({ a: 1, b: 'x', c: 1 }),
      'INVALID_TYPE',
      /nothing was changed.*b: must be an integer.*Variable not found: c/,
    )
    const errors = error.details['errors'] as Record<string, string>
    assert.equal(Object.keys(errors), ['b', 'c'])
    assert.ok(error.cause instanceof BeamlineError)
    assert.equal(await ctx.getMany(['a', 'b']), { a: 0, b: 0 })
    assert.equal([ctx.peek('a'), ctx.peek('b')], [0, 0])
    assert.is((await ctx.set('a', 5)).revision, 3)
    assert.equal(seen.values, [5])
  }),
)

test(
  'updateMany that is not atomic writes what it can, one revision each, and tells what was refused',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    await ctx.define('b', 'integer', 0, { constraints: { max: 9 } })
    await ctx.define('c', 'integer', 0)
    const seen = new Recorder()
    await using _ = await ctx.watch(['a', 'b', 'c'], seen.callback)
    const { revision, versions, errors } = await ctx.updateMany({ a: 1, b: 10, c: 3, d: 4 }, {}, { atomic: false })
    assert.equal([revision, versions], [5, { a: 1, c: 1 }])
    assert.equal(
      Object.entries(errors).map(([name, { code }]) => [name, code]),
      [
        ['b', 'CONSTRAINT'],
        ['d', 'NOT_FOUND'],
      ],
    )
    assert.ok(Object.values(errors).every((error) => error instanceof BeamlineError))
    assert.equal(seen.values, [1, 3])
    assert.equal(seen.revisions, [4, 5])
  }),
)

test(
  'an empty batch changes nothing and tells the present revision',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    assert.equal(await ctx.updateMany({}), { revision: 1, versions: {}, errors: {} })
    assert.equal(await ctx.updateMany({}, {}, { atomic: false }), { revision: 1, versions: {}, errors: {} })
    assert.is((await ctx.set('a', 1)).revision, 2)
  }),
)

test(
  'history has the kept values, oldest first, each with what was said with it',
  withContext(
    async (ctx) => {
      const x = await ctx.define('x', 'integer', 0, { metadata: { why: 'first' } })
      await x.set(1, { source: 'ann' })
      await x.set(2)
      assert.equal(
        (await ctx.history('x')).map(({ version, value, revision, metadata }) => [version, value, revision, metadata]),
        [
          [0, 0, 1, { source: 'local', why: 'first' }],
          [1, 1, 2, { source: 'ann' }],
          [2, 2, 3, { source: 'local' }],
        ],
      )
      for (const value of range(3, 20)) await x.set(value)
      const kept = async (limit?: number) =>
        (await ctx.history('x', limit === undefined ? {} : { limit })).map(({ version }) => version)
      assert.equal(await kept(), range(16, 20))
      assert.equal(await kept(2), [19, 20])
      assert.equal(await kept(1), [20])
      assert.equal(await kept(0), [])
      assert.equal(await kept(100), range(16, 20))
    },
    { history: 5 },
  ),
)

test(
  'V5 rollback writes an earlier value as a new version, and watches see it',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'string', 'zero')
    await x.set('one')
    await x.set('two')
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback)
    assert.equal(await ctx.rollback('x', 0), { version: 3, revision: 4, value: 'zero' })
    assert.is(await x.get(), 'zero')
    assert.equal(seen.steps, [['two', 'zero']])
    assert.is(seen.changes[0]?.meta['rollbackTo'], 0)
    assert.equal(await ctx.rollback('x', 1), { version: 4, revision: 5, value: 'one' })
    assert.equal(
      (await ctx.history('x')).map(({ value }) => value),
      ['zero', 'one', 'two', 'zero', 'one'],
    )
  }),
)

test(
  'rollback to a version that is not kept says which are',
  withContext(
    async (ctx) => {
      const x = await ctx.define('x', 'integer', 0)
      for (const value of range(1, 9)) await x.set(value)
      await assert.rejects(ctx.rollback('x', 0), 'COMPACTED', /versions 7 to 9 are kept/)
      for (const version of [10, -1, 1.5, Number.NaN]) {
        await assert.rejects(ctx.rollback('x', version), 'NOT_FOUND', /x has no version .*: versions 7 to 9 are kept/)
      }
      assert.equal(await ctx.rollback('x', 7), { version: 10, revision: 11, value: 7 })
    },
    { history: 3 },
  ),
)

test(
  'expectedVersion lets exactly one of several rivals write',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    assert.is((await x.set(1, {}, { expectedVersion: 0 })).version, 1)
    const rivals = await Promise.allSettled(
      range(1, 10).map((rival) => ctx.set('x', rival * 10, {}, { expectedVersion: 1 })),
    )
    const lost = rivals.filter((rival) => rival.status === 'rejected')
    assert.is(lost.length, 9)
    for (const { reason } of lost) {
      assert.is(reason.code, 'VERSION_CONFLICT')
      assert.match(reason.message, /x has version 2, not 1: read it again/)
    }
    assert.equal([await x.get(), (await ctx.describe('x')).version], [10, 2])
  }),
)

test(
  'metadata of each write reaches its watches, and adds up in describe, later words over earlier ones',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0, { metadata: { unit: 'C', owner: 'ann' } })
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback)
    await x.set(1, { source: 'sensor', owner: 'bob' })
    assert.equal((await ctx.describe('x')).metadata, { source: 'sensor', unit: 'C', owner: 'bob' })
    await x.set(2)
    assert.equal((await ctx.describe('x')).metadata, { source: 'local', unit: 'C', owner: 'bob' })
    const [first, second] = seen.changes.map(({ meta: { timestamp, ...meta } }) => meta)
    const facts = { initial: false, resync: false }
    assert.equal(first, { source: 'sensor', owner: 'bob', ...facts, revision: 2, version: 1 })
    assert.equal(second, { source: 'local', ...facts, revision: 3, version: 2 })
  }),
)

test(
  "a writer's metadata cannot pass for the library's own, not even for a deletion",
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback, { filter: (_previous, value) => value !== 1 })
    const lies = { initial: true, resync: true, deleted: true, revision: 99, version: 99, timestamp: 0 }
    await x.set(1, lies)
    await x.set(2, lies)
    await x.set(3)
    assert.equal(seen.values, [2, 3])
    const { timestamp, ...meta } = seen.changes[0]?.meta ?? { timestamp: 0 }
    assert.ok(timestamp > 0)
    assert.equal(meta, { source: 'local', initial: false, resync: false, deleted: false, revision: 3, version: 2 })
  }),
)

test.run()
