import { Context, type ErrorCode, ObserverManager, type Variable } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder, range } from '../support/recorder.js'
import { withSystem } from '../support/system.js'

const test = suite('bad input')
const withContext = contextsFor(test)

interface Scene {
  readonly ctx: Context
  readonly count: Variable<number>
  /** Expects the refusal, and that nothing else has happened. */
  readonly refused: (work: () => Promise<unknown>, code: ErrorCode, message: RegExp) => Promise<void>
}

/** All that can be seen of a context. */
async function stateOf(ctx: Context): Promise<unknown> {
  const infos = await ctx.list()
  const histories = await Promise.all(infos.map(({ name }) => ctx.history(name)))
  const { revision } = await ctx.updateMany({})
  return { infos, histories, revision, peeked: infos.map(({ name }) => ctx.peek(name)) }
}

/** A test with a watched context that holds `count`, an integer from 0 to 10, and `mode`, a choice. */
function refusal(title: string, play: (scene: Scene) => Promise<void>): void {
  test(
    `V1 ${title}`,
    withContext(async (ctx) => {
      const count = await ctx.define('count', 'integer', 1, { constraints: { min: 0, max: 10 } })
      await ctx.define('mode', 'choice', 'slow', { constraints: { choices: ['slow', 'fast'] } })
      await count.set(2)
      const seen = new Recorder()
      await using _ = await ctx.watch(['count', 'mode'], seen.callback)
      const refused: Scene['refused'] = async (work, code, message) => {
        const before = await stateOf(ctx)
        await assert.rejects(work, code, message)
        assert.equal(await stateOf(ctx), before, 'nothing has changed')
        assert.equal(seen.changes, [], 'no watch has heard of it')
      }
      await play({ ctx, count: count as Variable<number>, refused })
      assert.is((await ctx.set('count', 3)).version, 2, 'the context works on')
      assert.equal(seen.values, [3])
    }),
  )
}

refusal('an unknown variable is NOT_FOUND, whatever is asked of it', async ({ ctx, refused }) => {
  const asked: Record<string, () => Promise<unknown>> = {
    get: () => ctx.get('coumt'),
    set: () => ctx.set('coumt', 1),
    describe: () => ctx.describe('coumt'),
    delete: () => ctx.delete('coumt'),
    history: () => ctx.history('coumt'),
    rollback: () => ctx.rollback('coumt', 0),
    getMany: () => ctx.getMany(['count', 'coumt']),
    watch: () => ctx.watch(['count', 'coumt'], () => {}),
    changes: () => ctx.changes(['coumt']).next(),
    resolve: () => ctx.resolve('coumt'),
    peek: async () => ctx.peek('coumt'),
  }
  for (const ask of Object.values(asked)) {
    await refused(ask, 'NOT_FOUND', /Variable not found: coumt: define it first/)
  }
  assert.is((await ctx.listWatchers()).length, 1)
})

refusal('a value of the wrong type is INVALID_TYPE', async ({ ctx, refused }) => {
  for (const value of ['3', true, null, undefined, {}, [], new Date()]) {
    await refused(() => ctx.set('count', value), 'INVALID_TYPE', /count: must be an integer/)
  }
  for (const value of [1, null, ['slow']]) {
    await refused(() => ctx.set('mode', value), 'INVALID_TYPE', /mode: must be a string/)
  }
  await refused(() => ctx.define('new', 'float', 'warm' as never), 'INVALID_TYPE', /new: must be a number/)
})

refusal('NaN, an infinity or a fraction is no integer', async ({ ctx, refused }) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2.5]) {
    await refused(() => ctx.set('count', value), 'INVALID_TYPE', /count: must be a whole number, got/)
    await refused(() => ctx.define('new', 'integer', value), 'INVALID_TYPE', /new: must be a whole number, got/)
  }
})

refusal('a value that violates a constraint is CONSTRAINT', async ({ ctx, refused }) => {
  await refused(() => ctx.set('count', 11), 'CONSTRAINT', /count: value 11 is above maximum 10/)
  await refused(() => ctx.set('count', -1), 'CONSTRAINT', /count: value -1 is below minimum 0/)
  await refused(() => ctx.set('mode', 'Slow'), 'CONSTRAINT', /mode: must be one of: slow, fast/)
  const constraints = { constraints: { min: 5 } }
  await refused(() => ctx.define('new', 'integer', 4, constraints), 'CONSTRAINT', /new: value 4 is below minimum 5/)
})

refusal('constraints that nothing could meet are CONSTRAINT', async ({ ctx, refused }) => {
  const define = (type: string, initial: unknown, constraints: unknown) => () =>
    ctx.define('new', type as 'json', initial as never, { constraints: constraints as never })
  const cases: [...Parameters<typeof define>, RegExp][] = [
    ['integer', 1, { min: 3, max: 2 }, /min 3 must not be above max 2/],
    ['float', 1, { min: 3, max: 2 }, /min 3 must not be above max 2/],
    ['integer', 1, { min: 1.2, max: 1.8 }, /must have a whole number between them/],
    ['string', 'a', { minLength: 3, maxLength: 2 }, /min_length 3 must not be above max_length 2/],
    ['string', 'a', { pattern: '(' }, /pattern must be a regular expression: /],
    ['module', 'A', { pattern: '[' }, /pattern must be a regular expression: /],
    ['choice', 'a', { choices: [] }, /choices must not be empty, as no value would fit: leave it out to allow all/],
    ['choice', 'a', { choices: 'a' }, /choices must be an array of strings/],
    ['integer', 1, { min: 'low' }, /min must be a number, not a string/],
    ['integer', 1, 5, /they must be an object such as \{ min: 0 \}, not a number/],
  ]
  for (const [type, initial, constraints, message] of cases) {
    await refused(define(type, initial, constraints), 'CONSTRAINT', message)
  }
  await refused(define('integer', 1, { min: 3, max: 2 }), 'CONSTRAINT', /Invalid constraints for new \(integer\)/)
})

refusal('a type that is none, or a name that is none, is INVALID_TYPE', async ({ ctx, refused }) => {
  const define = (name: unknown, type: unknown) => () => ctx.define(name as string, type as 'float', 1)
  await refused(define('new', 'flaot'), 'INVALID_TYPE', /float, integer, string/)
  await refused(define('new', undefined), 'INVALID_TYPE', /float, integer, string|defineType/)
  for (const name of ['', 7, null, 'ü'.repeat(128)]) {
    await refused(define(name, 'float'), 'INVALID_TYPE', /is no variable's name: give a string of 1 to 255 bytes/)
  }
  await ctx.define('ü'.repeat(127), 'float', 1)
})

refusal('a name that is defined already is ALREADY_EXISTS', async ({ ctx, refused }) => {
  const message = /the variable 'count' is defined already: set it, or delete it first/
  await refused(() => ctx.define('count', 'integer', 5), 'ALREADY_EXISTS', message)
  await refused(() => ctx.define('count', 'string', 'other'), 'ALREADY_EXISTS', message)
  const rivals = await Promise.allSettled(range(1, 5).map((value) => ctx.define('rival', 'integer', value)))
  assert.equal(
    rivals.map(({ status }) => status),
    ['fulfilled', ...new Array(4).fill('rejected')],
  )
  assert.is(await ctx.get('rival'), 1)
})

refusal('an atomic batch with one bad entry is refused with its code, and names it', async ({ ctx, refused }) => {
  const batch = (values: Record<string, unknown>) => () => ctx.updateMany(values)
  await refused(batch({ mode: 'fast', count: 99 }), 'CONSTRAINT', /nothing was changed.*count: value 99 is above/)
  await refused(batch({ count: 5, mode: 3 }), 'INVALID_TYPE', /nothing was changed.*mode: must be a string/)
  await refused(batch({ count: 5, coumt: 1 }), 'NOT_FOUND', /nothing was changed.*Variable not found: coumt/)
  for (const values of [null, 'count', undefined]) {
    await refused(() => ctx.updateMany(values as never), 'INVALID_TYPE', /values is .*: give an object, name: value/)
  }
})

refusal('a stale expectedVersion is VERSION_CONFLICT, before the value is looked at', async ({ ctx, refused }) => {
  for (const expectedVersion of [0, 2, -1, Number.NaN]) {
    const set = (value: unknown) => () => ctx.set('count', value, {}, { expectedVersion })
    await refused(set(5), 'VERSION_CONFLICT', /count has version 1, not .*: read it again and decide anew/)
    await refused(set('x'), 'VERSION_CONFLICT', /count has version 1/)
  }
})

refusal('a value or metadata that no thread can be sent is NOT_CLONEABLE', async ({ ctx, refused }) => {
  await ctx.define('any', 'json', null)
  const part = (name: string, path: string) =>
    new RegExp(`^${name}: the message's part ${path} is a .*, which no message can carry: send plain data`)
  for (const bad of [() => {}, Symbol('s'), Promise.resolve(), new WeakMap()]) {
    const cases: [() => unknown, name: string, path: string][] = [
      [() => ctx.set('any', bad), 'any', 'write.value'],
      [() => ctx.set('any', { deep: [bad] }), 'any', 'write.value.deep\\[0\\]'],
      [() => ctx.set('count', 5, { deep: bad }), 'count', 'write.metadata.deep'],
      [() => ctx.updateMany({ count: 5, any: bad }), 'any', 'writes\\[1\\].value'],
      [() => ctx.updateMany({ count: 5, any: 1 }, { deep: bad }), 'count', 'writes\\[0\\].metadata.deep'],
      [() => ctx.define('new', 'json', bad as never), 'new', 'definition.initial'],
      [() => ctx.define('new', 'json', 1, { metadata: { deep: bad } }), 'new', 'definition.metadata.deep'],
      [() => ctx.put('any', bad), 'any', 'write.value'],
    ]
    for (const [work, name, path] of cases) await refused(async () => work(), 'NOT_CLONEABLE', part(name, path))
  }
})

refusal('metadata that is no object is INVALID_TYPE', async ({ ctx, refused }) => {
  for (const metadata of ['source', 7, ['a']]) {
    const given = metadata as never
    await refused(() => ctx.set('count', 5, given), 'INVALID_TYPE', /count: metadata is .*: give an object/)
    await refused(() => ctx.updateMany({ count: 5 }, given), 'INVALID_TYPE', /metadata is .*: give an object/)
    await refused(() => ctx.define('new', 'integer', 5, { metadata: given }), 'INVALID_TYPE', /new: metadata is/)
  }
})

refusal('a value that is too large for shared memory is OVERFLOW', async ({ ctx, refused }) => {
  await ctx.define('text', 'string', 'small')
  const large = 'a'.repeat(80_000_000)
  await refused(() => ctx.set('text', large), 'OVERFLOW', /the value of text takes 80000000 bytes, more than are left/)
  await refused(() => ctx.updateMany({ count: 5, text: large }), 'OVERFLOW', /the value of text/)
})

refusal('arguments that JavaScript lets pass are refused, and the context lives on', async ({ ctx, refused }) => {
  await refused(() => ctx.list(5 as never), 'INVALID_TYPE', /list: pattern is 5: give a text/)
  await refused(() => ctx.getMany('count' as never), 'INVALID_TYPE', /getMany: names is no list/)
  for (const limit of [-1, 0.5, Number.NaN, '1']) {
    await refused(
      () => ctx.history('count', { limit: limit as number }),
      'INVALID_TYPE',
      /history: limit is .*: give a whole/,
    )
  }
})

test(
  'V1 a put that is refused is a process warning, and changes nothing',
  withContext(
    async (ctx) => {
      const count = await ctx.define('count', 'integer', 1)
      const seen = new Recorder()
      await using _ = await count.watch(seen.callback)
      const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve))
      ctx.put('count', 'three')
      assert.is(await count.get(), 1)
      const { code, message } = await warned
      assert.equal([code, seen.values], ['BEAMLINE_INVALID_TYPE', []])
      assert.match(message, /put was refused: count: must be an integer/)
    },
    { thread: 'main' },
  ),
)

/** Everything a handle can be asked for. */
function everything(ctx: Context): (() => unknown)[] {
  return [
    () => ctx.define('new', 'integer', 1),
    () => ctx.set('count', 1),
    () => ctx.put('count', 1),
    () => ctx.get('count'),
    () => ctx.peek('count'),
    () => ctx.getMany(['count']),
    () => ctx.describe('count'),
    () => ctx.list(),
    () => ctx.delete('count'),
    () => ctx.updateMany({ count: 1 }),
    () => ctx.history('count'),
    () => ctx.rollback('count', 0),
    () => ctx.watch(['count'], () => {}),
    () => ctx.watchOne('count', () => {}),
    () => ctx.changes(['count']).next(),
    () => ctx.listWatchers(),
    () => ctx.resolve('count'),
  ]
}

test(
  'after ctx.stop everything is STOPPED',
  withContext(async (ctx) => {
    await ctx.define('count', 'integer', 1)
    await ctx.stop()
    const message = new RegExp(`the context '${ctx.id}' has been stopped: start another`)
    for (const ask of everything(ctx)) await assert.rejects(async () => ask(), 'STOPPED', message)
    await ctx.stop()
  }),
)

test('after system.stop everything is STOPPED', async () => {
  const { ctx, observers } = await withSystem({ threads: 1 }, async (system) => {
    const context = await Context.start(system)
    await context.define('count', 'integer', 1)
    return { ctx: context, observers: ObserverManager.of(system) }
  })
  const message = /the system has been stopped: start another with ActorSystem.start\(\)/
  for (const ask of everything(ctx)) await assert.rejects(async () => ask(), 'STOPPED', message)
  await assert.rejects(
    observers.add('id', () => {}),
    'STOPPED',
    message,
  )
  await assert.rejects(observers.count('id'), 'STOPPED', message)
  await ctx.stop()
})

test.run()
