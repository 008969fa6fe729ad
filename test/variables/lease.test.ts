import { assert, eventually, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder } from '../support/recorder.js'

const test = suite('leases')
const withContext = contextsFor(test)

const locked = /x: variable_locked_for_optimization/

test(
  'of a leased variable every write without its token is refused, and so are rollback and deletion',
  withContext(async (ctx) => {
    await ctx.define('x', 'integer', 0)
    await ctx.define('y', 'integer', 0)
    await ctx.set('x', 1)
    const { token, since, holder } = await ctx.lease('x', 'adam')
    assert.equal(holder, 'adam')
    assert.equal((await ctx.describe('x')).lease, { holder: 'adam', since })
    const writes = [
      () => ctx.set('x', 2),
      () => ctx.set('x', 2, { source: 'me' }),
      () => ctx.set('x', 2, { optimization_id: token - 1 }),
      () => ctx.updateMany({ x: 2, y: 2 }),
      () => ctx.rollback('x', 0),
      () => ctx.delete('x'),
      () => ctx.lease('x', 'eve'),
      () => ctx.release('x', { token: token + 1 }),
    ]
    for (const write of writes) await assert.rejects(write, 'LOCKED', locked)
    const { versions, errors } = await ctx.updateMany({ x: 2, y: 2 }, undefined, { atomic: false })
    assert.equal([versions, errors['x']?.code], [{ y: 1 }, 'LOCKED'])
    assert.equal(await ctx.getMany(['x', 'y']), { x: 1, y: 2 })
    await ctx.set('x', 3, { optimization_id: String(token) })
    await ctx.updateMany({ x: 4, y: 4 }, { optimization_id: token })
    assert.equal(await ctx.get('x'), 4)
  }),
)

test(
  'a put without the token changes nothing, and is told on the thread of the context',
  withContext(async (ctx) => {
    await ctx.define('x', 'integer', 0)
    const { token } = await ctx.lease('x', 'adam')
    const seen = new Recorder()
    await using _ = await ctx.watchOne('x', seen.callback)
    ctx.put('x', 1)
    ctx.put('x', 2, { optimization_id: token })
    await eventually(() => seen.steps.length === 1)
    assert.equal(seen.steps, [[0, 2]])
  }),
)

test(
  'tokens count up, and an older one is worth nothing any more',
  withContext(async (ctx) => {
    await ctx.define('x', 'integer', 0)
    await ctx.define('y', 'integer', 0)
    const first = await ctx.lease('x', 'adam')
    const other = await ctx.lease('y', 'adam')
    const second = await ctx.lease('x', 'adam')
    assert.ok(first.token < other.token && other.token < second.token)
    await assert.rejects(() => ctx.set('x', 1, { optimization_id: first.token }), 'LOCKED', locked)
    await assert.rejects(() => ctx.set('x', 1, { optimization_id: other.token }), 'LOCKED', locked)
    await assert.rejects(() => ctx.release('x', { token: first.token }), 'LOCKED', locked)
    await ctx.set('x', 1, { optimization_id: second.token })
    assert.equal(await ctx.release('x', { token: second.token }), true)
    assert.equal(await ctx.release('x', { token: second.token }), false)
    assert.equal((await ctx.describe('x')).lease, undefined)
    await ctx.set('x', 2)
    await ctx.lease('x', 'eve')
    assert.equal(await ctx.release('x', { force: true }), true)
    assert.equal(await ctx.set('x', 3), { version: 3, revision: 5 })
  }),
)

test(
  'what is no lease is refused',
  withContext(async (ctx) => {
    await ctx.define('x', 'integer', 0)
    await assert.rejects(() => ctx.lease('y', 'adam'), 'NOT_FOUND')
    await assert.rejects(() => ctx.release('y', { force: true }), 'NOT_FOUND')
    await assert.rejects(() => ctx.lease('x', ''), 'INVALID_TYPE')
    await assert.rejects(() => ctx.lease('x', 5 as never), 'INVALID_TYPE')
    await ctx.lease('x', 'adam')
    await assert.rejects(() => ctx.release('x', {} as never), 'LOCKED')
  }),
)

test.run()
