import { BeamlineError, Bridge, BridgeServer, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { gate, Recorder, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('bridged contexts')
const system = systemFor(test, { threads: 1 })
let server: BridgeServer
let bridge: Bridge

test.before(async () => {
  server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
  bridge = await Bridge.connect(system(), server.address)
})
test.after(async () => {
  await bridge.close()
  await server.stop()
})

let sessions = 0
/** Runs `body` with a context in a session of its own. */
const withContext = (body: (ctx: Context, id: string) => Promise<unknown>) => async () => {
  const id = `s${++sessions}`
  await using ctx = await Context.start(system(), { id, bridge })
  await body(ctx, id)
}

test(
  'X1 has the face of a local one: define, set, get, peek, describe, list, many, history, rollback, delete',
  withContext(async (ctx, id) => {
    assert.is(ctx.backend, 'bridged')
    assert.is(ctx.id, id)
    const t = await ctx.define('t', 'float', 0.5, { constraints: { min: 0, max: 2 }, description: 'heat' })
    await ctx.define('model', 'choice', 'a', { constraints: { choices: ['a', 'b'] } })
    await ctx.define('shape', 'tensor', { shape: [2], data: [1, 2] })
    assert.equal(await t.set(1), { version: 1, revision: 4 })
    assert.is(await t.get(), 1)
    assert.is(t.peek(), 1)
    t.put(1.5)
    assert.is(await t.get(), 1.5)
    const about = await ctx.describe('t')
    assert.equal(
      [about.type, about.description, about.version, about.constraints],
      ['float', 'heat', 2, { min: 0, max: 2 }],
    )
    assert.equal(
      (await ctx.list('*')).map(({ name }) => name),
      ['t', 'model', 'shape'],
    )
    assert.equal((await ctx.updateMany({ t: 2, model: 'b' })).versions, { t: 3, model: 1 })
    assert.equal(await ctx.getMany(['t', 'model', 'shape']), { t: 2, model: 'b', shape: { shape: [2], data: [1, 2] } })
    assert.equal(
      (await ctx.history('t')).map(({ value }) => value),
      [0.5, 1, 1.5, 2],
    )
    assert.is((await ctx.rollback('t', 1)).value, 1)
    await ctx.delete('model')
    await assert.rejects(ctx.get('model'), 'NOT_FOUND', /Variable not found: model/)
  }),
)

test(
  'X1 refuses what a local one refuses, in the same words',
  withContext(async (ctx) => {
    await using local = await Context.start(system())
    for (const one of [ctx, local]) await one.define('t', 'float', 0.5, { constraints: { max: 2 } })
    const both = async (act: (one: Context) => Promise<unknown>) => {
      const words = []
      for (const one of [ctx, local]) {
        const error = await act(one).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        assert.ok(error instanceof BeamlineError)
        words.push([error.code, error.message])
      }
      assert.equal(words[0], words[1])
    }
    await both((one) => one.set('t', 3))
    await both((one) => one.set('t', 'hot'))
    await both((one) => one.set('nobody', 1))
    await both((one) => one.set('t', 1, undefined, { expectedVersion: 7 }))
    await both((one) => one.define('t', 'float', 1))
    await both((one) => one.define('u', 'number' as 'float', 1))
    await both((one) => one.updateMany({ t: 3 }))
    await both((one) => one.delete('nobody'))
    await both((one) => one.rollback('t', 9))
    await both((one) => one.watch(['nobody'], () => {}))
  }),
)

test(
  'X1 a lease is held against every path to the variable',
  withContext(async (ctx, id) => {
    await ctx.define('x', 'integer', 0)
    const lease = await ctx.lease('x', 'tuner')
    assert.is(lease.holder, 'tuner')
    await assert.rejects(ctx.set('x', 1), 'LOCKED', /variable_locked_for_optimization/)
    await assert.rejects(server.sessions.update(id, 'x', 1), 'LOCKED')
    await ctx.set('x', 2, { optimization_id: lease.token })
    await assert.rejects(ctx.release('x', { token: lease.token + 1 }), 'LOCKED')
    assert.is(await ctx.release('x', { token: lease.token }), true)
    assert.is(await ctx.release('x', { force: true }), false)
    await ctx.set('x', 3)
    assert.is(ctx.peek('x'), 3)
  }),
)

test(
  'X2 watch and writes at once, none awaited: the initial value, then each write, in order',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    const watching = x.watch(seen.callback, { includeInitial: true })
    const writes = range(1, 100).map((value) => x.set(value))
    await using watch = await watching
    await Promise.all(writes)
    assert.equal(seen.values, range(0, 100))
    assert.is(watch.state, 'live')
    assert.is(watch.lag, 0)
  }),
)

test(
  'X3 what the server sets itself, and other contexts of the session, is seen with who wrote it',
  withContext(async (ctx, id) => {
    const x = await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback)
    await server.sessions.update(id, 'x', 1, { source: 'direct' })
    await using other = await Context.start(system(), { id, bridge })
    assert.is(await other.get('x'), 1)
    await other.set('x', 2, { source: 'other' })
    await x.set(3)
    assert.equal(seen.values, [1, 2, 3])
    assert.equal(
      seen.changes.map(({ meta }) => meta.source),
      ['direct', 'other', 'local'],
    )
  }),
)

test('X20 a watch may begin at any revision that the session keeps, also one from before the context joined', async () => {
  const id = `s${++sessions}`
  const made = await server.sessions.create(id)
  await made.define('x', 'integer', 0)
  await made.define('y', 'integer', 0)
  for (const value of range(1, 5000))
    made.put(value % 2 === 0 ? 'y' : 'x', value, value === 7 ? { source: 'seven' } : undefined)
  assert.is(await made.get('y'), 5000)
  await using ctx = await Context.start(system(), { id, bridge })
  const seen = new Recorder()
  await using _ = await ctx.watch(['x'], seen.callback, { sinceRevision: 1000 })
  await ctx.set('x', 5001)
  const odd = range(999, 5001).filter((value) => value % 2 === 1)
  assert.equal(seen.values, odd)
  assert.equal(seen.steps[0], [997, 999])
  const early = new Recorder()
  await using __ = await ctx.watch(['x', 'y'], early.callback, { sinceRevision: 2 })
  assert.is(early.values.length, 5001)
  assert.is(early.changes[6]?.meta.source, 'seven')
  await assert.rejects(
    ctx.watch(['x'], () => {}, { sinceRevision: 9999 }),
    'INVALID_TYPE',
  )
})

test('X4 a context leaves its session with stop, which goes on; the end of the session ends the context', async () => {
  const id = `s${++sessions}`
  const first = await Context.start(system(), { id, bridge })
  await first.define('x', 'integer', 7)
  await first.stop()
  await using ctx = await Context.start(system(), { id, bridge, create: false })
  assert.is(await ctx.get('x'), 7)
  const ended = gate<unknown>()
  const watch = await ctx.watch(['x'], () => {}, { onError: ended.open })
  await server.sessions.delete(id)
  assert.ok((await ended.opened) instanceof BeamlineError)
  assert.is(watch.state, 'failed')
  await assert.rejects(ctx.set('x', 1), 'NOPROC')
})

test('X4 a session that is not there is made only when that is wanted', async () => {
  await assert.rejects(Context.start(system(), { id: 'nowhere', bridge, create: false }), 'NOT_FOUND')
  assert.is(
    (await server.sessions.list()).some((one) => (one as { id: string }).id === 'nowhere'),
    false,
  )
})

test('X5 ensureBridged moves state, history and watches while others write, and nothing is lost or told twice', async () => {
  await using ctx = await Context.start(system())
  const x = await ctx.define('x', 'integer', 0)
  await ctx.define('text', 'string', 'a', { metadata: { unit: 'm' } })
  await ctx.set('text', 'b')
  const seen = new Recorder()
  await using watch = await x.watch(seen.callback)
  const writes: Promise<unknown>[] = []
  const write = (value: number) => void writes.push(x.set(value))
  for (const value of range(1, 50)) write(value)
  const moving = ctx.ensureBridged(bridge)
  for (const value of range(51, 100)) write(value)
  await moving
  for (const value of range(101, 150)) write(value)
  await Promise.all(writes)
  assert.is(ctx.backend, 'bridged')
  assert.equal(seen.values, range(1, 150))
  assert.equal(
    seen.changes.map(({ meta }) => meta.version),
    range(1, 150),
  )
  const revisions = seen.changes.map(({ meta }) => meta.revision)
  assert.equal(revisions, range(revisions[0] as number, (revisions[0] as number) + 149))
  const there = await server.sessions.get(ctx.id)
  assert.is(await there.get('x'), 150)
  assert.equal(
    (await ctx.history('text')).map(({ value }) => value),
    ['a', 'b'],
  )
  await server.sessions.update(ctx.id, 'x', 151)
  await eventually(() => seen.values.length === 151)
  assert.is(watch.state, 'live')
  await ctx.ensureBridged()
})

test('X5 a context whose id is that of a session stays where it is', async () => {
  const id = `s${++sessions}`
  await server.sessions.create(id)
  await using ctx = await Context.start(system(), { id: `${id}-local` })
  await ctx.define('x', 'integer', 1)
  await server.sessions.create(ctx.id)
  await assert.rejects(ctx.ensureBridged(bridge), 'ALREADY_EXISTS')
  assert.is(ctx.backend, 'local')
  await ctx.set('x', 2)
  assert.is(ctx.peek('x'), 2)
})

test(
  'X6 a bridge that is killed comes back, and its contexts with it',
  withContext(async (ctx) => {
    const x = await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    await using watch = await x.watch(seen.callback)
    await x.set(1)
    system().self.exit(bridge.pid, 'kill')
    await eventually(() => watch.state === 'stale')
    await x.set(2)
    await eventually(() => watch.state === 'live')
    await x.set(3)
    assert.equal(seen.values, [1, 2, 3])
  }),
)

test.run()
