import { Context, ObserverManager, type Pid } from '../../src/index.js'
import { MAX_DEPTH } from '../../src/threads/tree-copier.js'
import { MAX_NESTING } from '../../src/variables/nesting.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder } from '../support/recorder.js'

const test = suite('raw input')
const withContext = contextsFor(test)

/** Neither a text nor anything that can be made one. */
const odd = { toString: 1 } as never
const text = /\{ toString: 1 \}/

/** What no handle sends: to a context and to its observer manager. */
const strange: unknown[] = [
  null,
  undefined,
  7,
  'set',
  [],
  {},
  { kind: 1 },
  { kind: odd },
  { kind: 'constructor' },
  { kind: 'nonsense' },
  { kind: 'put' },
  { kind: 'put', write: 1 },
  { kind: 'facts' },
  { kind: 'set' },
  { kind: 'set', write: null },
  { kind: 'set-many' },
  { kind: 'set-many', writes: [null] },
  { kind: 'set-many', writes: [{ name: odd }] },
  { kind: 'define' },
  { kind: 'define', definition: 1 },
  { kind: 'watch' },
  { kind: 'watch', watch: { names: ['count'] } },
  { kind: 'add' },
  { kind: 'add', observer: { variables: null } },
  { kind: 'remove' },
  { kind: 'tracks' },
  { kind: 'count', id: odd },
  { kind: 'observe', observer: {} },
  { kind: 'commit' },
  { kind: 'commit', changes: [null] },
  { kind: 'commit', changes: [], answer: {} },
  { kind: 'track' },
  { kind: 'untrack' },
  { kind: 'forget' },
  { type: 'DOWN', ref: 1, pid: null },
]

test(
  'what no handle would ask a context or a manager is INVALID_TYPE, what none would tell is dropped; both live on',
  withContext(async (ctx, { self }) => {
    await ctx.define('count', 'integer', 1)
    const seen = new Recorder()
    await using _ = await ctx.watchOne('count', seen.callback)
    const manager = self.system.whereis(`beamline.observers.${ctx.pid.thread}`) as Pid
    const before = await ctx.list()
    for (const pid of [ctx.pid, manager]) {
      for (const message of strange) {
        self.send(pid, message)
        self.cast(pid, message)
        await assert.rejects(self.call(pid, message), 'INVALID_TYPE', /is not asked .*: use /)
      }
      self.send(pid, { type: 'DOWN', ref: self.ref(), pid: ctx.pid, reason: 'killed' })
    }
    assert.equal([await ctx.list(), seen.changes, (await ctx.listWatchers()).length], [before, [], 1])
    await ctx.set('count', 2)
    assert.equal([seen.values, await ObserverManager.of(self).count('count')], [[2], 1])
  }),
)

test(
  'a put that is none is a warning on the thread of the context',
  withContext(
    async (ctx, { self }) => {
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
      self.cast(ctx.pid, { kind: 'put', write: { name: odd } })
      assert.match((await warned).message, /put was refused: Variable not found: \{ toString: 1 \}/)
      assert.equal(await ctx.list(), [])
    },
    { thread: 'main' },
  ),
)

test(
  'V1 a name, version, limit or whatever else that is no text is refused in words, and nothing changes',
  withContext(async (ctx, system) => {
    await ctx.define('count', 'integer', 1)
    const before = await ctx.list()
    const notFound: (() => Promise<unknown>)[] = [
      () => ctx.get(odd),
      () => ctx.set(odd, 1),
      () => ctx.getMany([odd]),
      () => ctx.describe(odd),
      () => ctx.delete(odd),
      () => ctx.history(odd),
      () => ctx.rollback(odd, 0),
      () => ctx.rollback('count', odd),
      () => ctx.watchOne(odd, () => {}),
      () => ctx.resolve(odd),
      async () => ctx.peek(odd),
    ]
    for (const ask of notFound) await assert.rejects(ask(), 'NOT_FOUND', text)
    const invalid: (() => unknown)[] = [
      () => ctx.define(odd, 'integer', 1),
      () => ctx.define('new', 'integer', 1, { description: odd }),
      () => ctx.list(odd),
      () => ctx.history('count', { limit: odd }),
      () => ctx.watchOne('count', odd),
      () => ctx.watchOne('count', () => {}, { debounce: odd }),
      () => ctx.watchOne('count', () => {}, { sinceRevision: odd }),
      () => Context.start(system, { id: odd }),
      () => Context.start(system, { history: odd }),
      () => Context.attach(system, odd),
    ]
    for (const ask of invalid) await assert.rejects(async () => ask(), 'INVALID_TYPE', text)
    await assert.rejects(ctx.set('count', 2, {}, { expectedVersion: odd }), 'VERSION_CONFLICT', text)
    await assert.rejects(ctx.define('new', 'string', odd), 'INVALID_TYPE')
    await assert.rejects(ctx.define('new', odd, 1), 'INVALID_TYPE')
    await assert.rejects(ctx.define('new', 'integer', 1, { constraints: { min: odd } }), 'CONSTRAINT')
    await ctx.set('count', 1, { deep: odd })
    assert.equal((await ctx.describe('count')).metadata, { source: 'local', deep: odd })
    assert.equal((await ctx.list()).length, before.length)
  }),
)

test(
  'V1 metadata that is no object, or is nested too deep for a change to carry, is refused before the commit',
  withContext(async (ctx) => {
    await ctx.define('count', 'integer', 1)
    const seen = new Recorder()
    await using _ = await ctx.watchOne('count', seen.callback)
    const nested = (levels: number) => {
      let metadata: object = {}
      for (let level = 1; level < levels; level++) metadata = { deep: metadata }
      return metadata as Record<string, unknown>
    }
    const before = await ctx.describe('count')
    for (const metadata of [new Map([['source', 'x']]), new Date(), nested(MAX_NESTING + 1), nested(MAX_DEPTH - 2)]) {
      await assert.rejects(ctx.set('count', 2, metadata as never), 'INVALID_TYPE', /count: metadata is /)
    }
    assert.equal([await ctx.describe('count'), seen.changes], [before, []])
    const round: Record<string, unknown> = { source: 'round', list: [] }
    round['self'] = round
    await ctx.set('count', 3, round)
    await ctx.set('count', 4, nested(MAX_NESTING))
    assert.equal(seen.values, [3, 4])
  }),
)

test(
  'V1 a JSON value is nested no deeper than all that tells of it can carry',
  withContext(async (ctx) => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1
      for (let level = 0; level < levels; level++) value = [value]
      return value
    }
    await ctx.define('deep', 'json', null)
    const seen = new Recorder()
    await using _ = await ctx.watchOne('deep', seen.callback)
    for (const levels of [MAX_NESTING + 1, MAX_DEPTH - 2])
      await assert.rejects(ctx.set('deep', nested(levels)), 'INVALID_TYPE', /deep: must not be nested deeper than/)
    await assert.rejects(ctx.set('deep', nested(MAX_DEPTH)), 'NOT_CLONEABLE', /deep: /)
    assert.equal([await ctx.get('deep'), seen.changes], [null, []])
    await ctx.set('deep', nested(MAX_NESTING))
    assert.equal([(await ctx.list()).length, (await ctx.history('deep')).length, seen.changes.length], [1, 2, 1])
  }),
)

test(
  'what an observer manager is asked for without sense is INVALID_TYPE, where it is asked',
  withContext(async (_ctx, system) => {
    const observers = ObserverManager.of(system)
    const ref = system.self.ref()
    for (const ask of [
      () => observers.add(odd, () => {}),
      () => observers.add('id', odd),
      () => observers.add('id', () => {}, { owner: odd }),
      () => observers.remove(odd, ref),
      () => observers.remove('id', odd),
      () => observers.count(odd),
      async () => observers.notify(odd, 0, 1),
      async () => observers.notify('id', 0, 1, 7 as never),
    ]) {
      await assert.rejects(ask(), 'INVALID_TYPE', /\{ toString: 1 \}|metadata is 7/)
    }
  }),
)

test(
  'list: a pattern takes no longer than its length allows, whatever it is',
  withContext(async (ctx) => {
    const name = 'a'.repeat(255)
    await ctx.define(name, 'integer', 1)
    await ctx.define('model.rate', 'integer', 1)
    const names = async (pattern: string) => (await ctx.list(pattern)).map((info) => info.name)
    assert.equal(await names(`${'*a'.repeat(100)}*b`), [])
    assert.equal(await names(`${'*a'.repeat(100)}*`), [name])
    assert.equal(await names('model.*'), ['model.rate'])
    assert.equal(await names('*.rate'), ['model.rate'])
    assert.equal(await names('m*.*e'), ['model.rate'])
    assert.equal(await names('model.rate'), ['model.rate'])
    assert.equal(await names('model.rate*rate'), [], 'the ends of a pattern do not overlap')
    assert.equal(await names('model?rate'), [])
    assert.equal((await names('**')).length, 2)
  }),
)

test.run()
