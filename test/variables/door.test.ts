import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { type BeamlineError, Context, openDoor } from '../../src/index.js'
import { remote } from '../../src/variables/door/remote.js'
import type { Vars } from '../fixtures/foreign.js'
import { assert, eventually, suite } from '../harness.js'
import { DoorStage } from '../support/foreign.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('door', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

const stage = new DoorStage(system)

test(
  'a foreign thread reads and writes a context, typed',
  stage.scene(async ({ ctx, foreign }) => {
    assert.equal(await foreign.do('typed', 'room'), [1, 'a', 1])
    assert.is(ctx.peek('n'), 2)
    const { revision } = (await foreign.do('ask', 'room', 'updateMany', { n: 5, text: 'b' })) as { revision: number }
    assert.equal(await foreign.do('ask', 'room', 'getMany', ['n', 'text']), { n: 5, text: 'b' })
    const { name, type, revision: written } = (await foreign.do('ask', 'room', 'describe', 'n')) as never
    assert.equal([name, type, written], ['n', 'integer', revision])
    await foreign.do('ask', 'room', 'define', 'late', 'float', 1.5, { constraints: { max: 2 } })
    const all = (await foreign.do('ask', 'room', 'list')) as { name: string }[]
    assert.equal(
      all.map((info) => info.name),
      ['n', 'text', 'late'],
    )
    await foreign.do('ask', 'room', 'rollback', 'n', 1)
    await foreign.do('ask', 'room', 'put', 'text', 'c')
    assert.equal(await foreign.do('ask', 'room', 'getMany', ['n', 'text']), { n: 2, text: 'c' })
    await foreign.do('ask', 'room', 'delete', 'late')
    assert.is(((await foreign.do('ask', 'room', 'history', 'n', { limit: 2 })) as unknown[]).length, 2)
  }),
)

test(
  'errors come through a door with code, message, details and cause',
  stage.scene(async ({ foreign }) => {
    const error = await assert.rejects(
      foreign.do('ask', 'room', 'set', 'n', 'x'),
      'INVALID_TYPE',
      /n: must be an integer/,
    )
    assert.ok(error instanceof Error)
    await assert.rejects(foreign.do('ask', 'nowhere', 'get', 'n'), 'NOT_FOUND', /nowhere/)
    const { details } = await assert.rejects(
      foreign.do('ask', 'room', 'set', 'n', 1, {}, { expectedVersion: 7 }),
      'VERSION_CONFLICT',
    )
    assert.equal(details, { name: 'n', version: 0, expectedVersion: 7 })
    const batch = await assert.rejects(foreign.do('ask', 'room', 'updateMany', { n: 'x' }), 'INVALID_TYPE')
    assert.is((batch.cause as BeamlineError).code, 'INVALID_TYPE')
    const { errors } = (await foreign.do('ask', 'room', 'updateMany', { n: 'x' }, {}, { atomic: false })) as {
      errors: { n: BeamlineError }
    }
    assert.is(errors.n.code, 'INVALID_TYPE')
    await assert.rejects(foreign.do('uncloneable', 'room'), 'NOT_CLONEABLE', /f/)
    await assert.rejects(foreign.do('watch', 'room', 1, 'missing'), 'NOT_FOUND')
    await assert.rejects(foreign.do('watch', 'room', 1, 'n', { debounce: -1 }), 'INVALID_TYPE')
    assert.is(await stage.observers(), 0)
  }),
)

test(
  'a watch of a foreign thread is told every change in order, with the options of any watch',
  stage.scene(async ({ ctx, foreign }) => {
    await foreign.do('watch', 'room', 'all', 'n', { includeInitial: true })
    await foreign.do('watch', 'room', 'distinct', 'n', { distinct: true })
    for (const n of [2, 2, 3]) await ctx.set('n', n)
    await foreign.do('watch', 'room', 'since', 'n', { sinceRevision: 3 })
    await eventually(() => foreign.seen.length === 8)
    assert.equal(foreign.valuesOf('all'), [1, 2, 2, 3])
    assert.equal(foreign.valuesOf('distinct'), [2, 3])
    assert.equal(foreign.valuesOf('since'), [2, 3])
    const [owner] = await ctx.listWatchers()
    assert.is((await system().info(owner?.owner as never))?.label, 'Door')
    for (const key of ['all', 'distinct', 'since']) await foreign.do('stop', key)
    assert.is(await stage.observers(), 0)
    await ctx.set('n', 9)
    await foreign.do('state', 'all')
    assert.is(foreign.seen.length, 8)
  }),
)

test(
  'when a foreign write resolves, the watches of that thread have been called',
  stage.scene(async ({ foreign }) => {
    assert.equal(await foreign.do('watched', 'room', 50), range(1, 50))
  }),
)

test(
  'filters run on the foreign thread, and what callbacks throw goes to onError',
  stage.scene(async ({ ctx, foreign }) => {
    await foreign.do('faulty', 'room', 'even')
    for (const n of [2, 3, 4]) await ctx.set('n', n)
    await eventually(() => foreign.ended.length === 2)
    assert.equal(
      foreign.ended.map(({ code }) => code),
      ['told 2', 'told 4'],
    )
    assert.is(await foreign.do('state', 'even'), 'live')
  }),
)

test(
  'a callback that is too slow for its buffer ends its watch with OVERFLOW, and the observer goes',
  stage.scene(async ({ ctx, foreign }) => {
    await foreign.do('busy', 'room', 'slow')
    for (const n of [2, 3, 4]) await ctx.set('n', n)
    assert.is(await foreign.endOf('slow'), 'OVERFLOW')
    await eventually(async () => (await stage.observers()) === 0)
  }),
)

test(
  '50 watches opened and stopped leave no ports on either side',
  stage.scene(async ({ foreign }) => {
    const mine = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
    await foreign.do('watch', 'room', 'first', 'n')
    const before = [mine(), await foreign.do('ports')]
    for (const key of range(1, 50)) await foreign.do('watch', 'room', key, 'n')
    assert.is(await stage.observers(), 51)
    for (const key of range(1, 50)) await foreign.do('stop', key)
    assert.is(await stage.observers(), 1)
    assert.equal([mine(), await foreign.do('ports')], before)
  }),
)

test(
  'a call whose handles are garbage is answered all the same',
  stage.scene(async ({ foreign }) => {
    assert.is(await foreign.do('collected', 'room'), 1)
  }),
)

test('a remote refuses what is no port and no option', () => {
  const { port1, port2 } = new MessageChannel()
  assert.throwsCode(() => remote('x' as never), 'INVALID_TYPE', /openDoor/)
  assert.throwsCode(() => remote(port1, { timeout: -1 }), 'INVALID_TYPE', /timeout/)
  assert.throwsCode(() => remote(port1, { signal: {} as never }), 'INVALID_TYPE', /signal/)
  assert.throws(() => remote(port1, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  port2.close()
  return once(port1, 'close')
})

test('doors on one thread are strangers to each other', async () => {
  await using ctx = await Context.start<Vars>(system(), { id: 'room' })
  await ctx.define('n', 'integer', 1)
  using far = remote(await openDoor(system()))
  using other = remote(await openDoor(system()))
  const [one, two] = await Promise.all([far.context<Vars>('room'), other.context<Vars>(ctx.pid)])
  assert.ok(one.pid.equals(two.pid))
  const seen: number[] = []
  await one.watchOne('n', (_, __, value) => seen.push(value))
  far.close()
  await two.set('n', 2)
  await two.watchOne('n', (_, __, value) => seen.push(value))
  await two.set('n', 3)
  assert.equal(seen, [3])
})

test.run()
