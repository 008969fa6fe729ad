import { type ActorSystem, Context, type Pid } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder, range } from '../support/recorder.js'

const test = suite('Context: values')
const withContext = contextsFor(test)

test(
  'V2 define gives a variable of version 0, with all that was said of it',
  withContext(async (ctx) => {
    const before = Date.now()
    const options = {
      constraints: { min: 0, max: 100 },
      description: 'in °C',
      metadata: { unit: 'C', source: 'probe' },
    }
    const temperature = await ctx.define('temperature', 'float', 20.5, options)
    assert.is(temperature.name, 'temperature')
    assert.match(temperature.id, /^var_temperature_\w+$/)
    const { createdAt, updatedAt, ...facts } = await ctx.describe('temperature')
    assert.equal(facts, {
      id: temperature.id,
      name: 'temperature',
      type: 'float',
      base: 'float',
      value: 20.5,
      version: 0,
      revision: 1,
      constraints: { min: 0, max: 100 },
      description: 'in °C',
      metadata: { unit: 'C', source: 'probe' },
    })
    assert.is(createdAt, updatedAt)
    assert.ok(createdAt >= before && createdAt <= Date.now())
  }),
)

test(
  'V2 V3 each set counts the version of its variable and the revision of the context, an equal value too',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    await ctx.define('b', 'integer', 0)
    assert.equal(await ctx.set('a', 1), { version: 1, revision: 3 })
    assert.equal(await ctx.set('b', 1), { version: 1, revision: 4 })
    assert.equal(await ctx.set('a', 1), { version: 2, revision: 5 })
    const { version, revision, value, createdAt, updatedAt } = await ctx.describe('a')
    assert.equal([version, revision, value], [2, 5, 1])
    assert.ok(updatedAt >= createdAt)
  }),
)

test(
  'a value is brought to its type before it is stored',
  withContext(async (ctx) => {
    const strategy = await ctx.define('strategy', 'module', 'Default', {
      constraints: { namespace: 'Strategies', choices: ['Default', 'Fast'] },
    })
    assert.is(await strategy.get(), 'Strategies.Default')
    await strategy.set('Fast')
    assert.equal([await strategy.get(), strategy.peek()], ['Strategies.Fast', 'Strategies.Fast'])
  }),
)

test(
  'V4 get sees every write sent before it, awaited or not',
  withContext(async (ctx) => {
    await ctx.define('x', 'integer', 0)
    for (const value of range(1, 100)) {
      if (value % 2) ctx.put('x', value)
      else void ctx.set('x', value)
      if (value % 5 === 0) assert.is(await ctx.get('x'), value)
    }
  }),
)

test(
  'V4 get sees what another process of the same thread sent before it',
  withContext(async (ctx, system) => {
    await ctx.define('x', 'integer', 0)
    const { pid } = await writerHere(system, ctx.id)
    for (const value of range(1, 100)) {
      system.self.send(pid, value)
      await system.self.receive()
      assert.is(await ctx.get('x'), value)
    }
    system.self.send(pid, 'end')
  }),
)

/** A process of this thread that puts each number it is sent into `x`, and says so. */
async function writerHere(system: ActorSystem, context: string): Promise<{ pid: Pid }> {
  const shell = system.self.pid
  const pid = await system.spawn(async (self) => {
    const ctx = Context.attach(self, context)
    for await (const message of self.messages()) {
      if (message === 'end') return
      ctx.put('x', message)
      self.send(shell, 'put')
    }
  })
  return { pid }
}

test(
  'V4 peek sees every awaited write at once',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    assert.is(ctx.peek('x'), 0)
    for (const value of range(1, 100)) {
      await x.set(value)
      assert.is(x.peek(), value)
    }
  }),
)

test(
  'every type of value comes back as it was set, by get and by peek',
  withContext(async (ctx) => {
    const values = {
      float: [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY],
      integer: [42, 2n ** 70n],
      string: ['', 'grüß ✓ 🎈', 'a'.repeat(100_000)],
      boolean: [true, false],
      json: [null, { deep: [{ list: [1, 'two', null] }] }],
      embedding: [[1, 2, 3]],
      tensor: [{ shape: [2, 2], data: [1, 2, 3, 4] }],
    } as const
    for (const [type, examples] of Object.entries(values)) {
      await ctx.define(type, type as 'json', examples[0] as never)
      for (const example of examples) {
        await ctx.set(type, example)
        for (const found of [await ctx.get(type), ctx.peek(type)]) {
          assert.equal(found, example)
          if (typeof example === 'number') assert.ok(Object.is(found, example), `${found} is ${example}`)
        }
      }
    }
  }),
)

test(
  'put writes without an answer, in its place among other writes',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback)
    x.put(1, { source: 'putter' })
    void x.set(2)
    ctx.put('x', 3)
    await x.set(4)
    assert.equal(seen.values, [1, 2, 3, 4])
    assert.is(seen.changes[0]?.meta.source, 'putter')
  }),
)

test(
  'getMany reads one moment, never half of an atomic batch',
  withContext(async (ctx) => {
    await ctx.define('a', 'integer', 0)
    await ctx.define('b', 'integer', 0)
    const reads = range(1, 200).map((value) => {
      void ctx.updateMany({ a: value, b: value })
      return ctx.getMany(['a', 'b'])
    })
    assert.equal(
      await Promise.all(reads),
      range(1, 200).map((value) => ({ a: value, b: value })),
    )
    assert.equal(await ctx.getMany(['b', 'a']), { b: 200, a: 200 })
    assert.equal(await ctx.getMany([]), {})
  }),
)

test(
  'list gives the variables a glob matches, oldest first, and takes everything but * literally',
  withContext(async (ctx) => {
    const names = ['model.name', 'model.size', 'modelXname', 'a+b', '(x)', 'line\nbreak']
    for (const name of names) await ctx.define(name, 'integer', 0)
    const listed = async (pattern?: string) => (await ctx.list(pattern)).map(({ name }) => name)
    assert.equal(await listed(), names)
    assert.equal(await listed('model.*'), ['model.name', 'model.size'])
    assert.equal(await listed('*name'), ['model.name', 'modelXname'])
    assert.equal(await listed('a+b'), ['a+b'])
    assert.equal(await listed('(*)'), ['(x)'])
    assert.equal(await listed('line*'), ['line\nbreak'])
    assert.equal(await listed('model'), [])
    assert.equal((await ctx.list('a+b'))[0], await ctx.describe('a+b'))
  }),
)

test(
  'delete removes a variable; defined again it is another one, of version 0',
  withContext(async (ctx) => {
    const first = await ctx.define('x', 'integer', 1)
    await first.set(2)
    await ctx.delete('x')
    await assert.rejects(ctx.get('x'), 'NOT_FOUND', /Variable not found: x/)
    assert.throwsCode(() => ctx.peek('x'), 'NOT_FOUND', /define it first/)
    assert.equal(await ctx.list(), [])
    const second = await ctx.define('x', 'string', 'now a text')
    assert.is.not(second.id, first.id)
    const { version, revision, type, value } = await ctx.describe('x')
    assert.equal([version, revision, type, value], [0, 4, 'string', 'now a text'])
    assert.is(ctx.peek('x'), 'now a text')
    assert.is((await ctx.history('x')).length, 1)
  }),
)

test(
  'names that an object has by itself are names like any other',
  withContext(async (ctx) => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    for (const name of names) await ctx.define(name, 'integer', 0)
    const { versions } = await ctx.updateMany(Object.fromEntries(names.map((name, index) => [name, index])))
    assert.equal(
      Object.entries(versions),
      names.map((name) => [name, 1]),
    )
    assert.equal(
      Object.entries(await ctx.getMany(names)),
      names.map((name, index) => [name, index]),
    )
  }),
)

test.run()
