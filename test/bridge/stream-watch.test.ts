import { Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { created, plain, setOf } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: watches')
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

test(
  'I1 a watch begins with the values of one revision, and goes on with every event after it',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b']) await ctx.define(name, 'integer', 1)
    await ctx.set('a', 2)
    const stream = await server.stream()
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    const sets = range(1, 20).map((value) => ctx.set('b', value))
    await Promise.all(sets)
    await stream.fence(1)
    assert.equal(
      watch.variables.map(({ name, value, version }) => [name, plain(value), version]),
      [
        ['a', 2, 1],
        ['b', 1, 0],
      ],
    )
    assert.equal(watch.created[0]?.resume, ResumeResult.RESUME_RESULT_FRESH)
    assert.equal(watch.values, range(1, 20))
    assert.equal(watch.through, 23)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I1 a watch and sets in one frame, none awaited: the value before, then every set',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    stream.send(
      created(1, 's'),
      ...range(1, 50).map((value) => ({
        $case: 'command' as const,
        value: { id: value, sessionId: 's', op: setOf('x', value) },
      })),
    )
    await stream.reply(50)
    const watch = stream.watch(1)
    await stream.when(() => watch.events.length === 50)
    assert.equal(
      watch.variables.map(({ value }) => plain(value)),
      [0],
    )
    assert.equal(watch.values, range(1, 50))
    assert.equal(stream.faults, [])
  }),
)

test(
  'I1 an empty session has a snapshot too',
  withServer(async (server) => {
    await server.session('s')
    const stream = await server.stream()
    const watch = stream.create(1, 's', { credit: 0 })
    await stream.when(() => watch.snapshots === 1)
    assert.equal([watch.variables, stream.faults], [[], []])
  }),
)

test(
  'I2 an atomic batch is never split over two batches, however the frames fall',
  withServer(async (server) => {
    const ctx = await server.session('s')
    const names = range(0, 9).map((at) => `v${at}`)
    for (const name of names) await ctx.define(name, 'string', '')
    const stream = await server.stream()
    const watch = stream.create(1, 's', { credit: 60_000 })
    await stream.when(() => watch.snapshots === 1)
    const text = 'x'.repeat(500)
    await Promise.all(range(1, 100).map(() => ctx.updateMany(Object.fromEntries(names.map((name) => [name, text])))))
    await stream.fence(1)
    assert.equal(watch.events.length, 1000)
    assert.ok(watch.batches.length > 1, 'it was one batch')
    assert.ok(watch.batches.every((count) => count % 10 === 0))
    assert.equal(stream.faults, [])
  }),
)

test(
  'I2 a revision that is larger than a frame, or than the credit, comes in parts, and `through` waits for the last',
  withServer(async (server) => {
    const ctx = await server.session('s')
    const names = range(0, 19).map((at) => `v${at}`)
    for (const name of names) await ctx.define(name, 'string', '')
    const stream = await server.stream({ maxFrameBytes: 2048 })
    stream.acks = true
    const large = stream.create(1, 's')
    const poor = stream.create(2, 's', { credit: 7 })
    await stream.when(() => large.snapshots === 1 && poor.snapshots === 1)
    await ctx.updateMany(Object.fromEntries(names.map((name) => [name, 'y'.repeat(300)])))
    await Promise.all([stream.fence(1), stream.fence(2)])
    for (const watch of [large, poor]) {
      assert.equal(
        watch.events.map(({ more }) => more),
        [...range(1, 19).map(() => true), false],
      )
      assert.ok(watch.batches.length > 1)
      assert.equal(watch.through, 21)
    }
    assert.equal(stream.faults, [])
  }),
)

test(
  'I3 watches of a few variables are led on by progress, and the chain holds',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a.x', 'a.y', 'b']) await ctx.define(name, 'integer', 0)
    const { id } = await ctx.describe('a.y')
    const stream = await server.stream()
    const byName = stream.create(1, 's', { selectors: [{ of: { $case: 'name', value: 'b' } }] })
    const byPrefix = stream.create(2, 's', { selectors: [{ of: { $case: 'prefix', value: 'a.' } }] })
    const byId = stream.create(3, 's', { selectors: [{ of: { $case: 'id', value: id } }] })
    await stream.sync('s')
    await ctx.updateMany({ 'a.x': 1, 'a.y': 1, b: 1 })
    for (const value of range(2, 6)) await ctx.set('a.x', value)
    await ctx.set('b', 2)
    await Promise.all([1, 2, 3].map((watch) => stream.fence(watch)))
    assert.equal(byName.values, [1, 2])
    assert.equal(byPrefix.values, [1, 1, 2, 3, 4, 5, 6])
    assert.equal(byId.values, [1])
    assert.equal(
      byName.events.map(({ more }) => more),
      [false, false],
      'what others are told does not follow',
    )
    assert.equal(byPrefix.events.map(({ more }) => more).slice(0, 2), [true, false])
    assert.equal(
      [byName, byPrefix, byId].map(({ through }) => through),
      [10, 10, 10],
    )
    assert.equal(stream.faults, [])
  }),
)

test(
  'I3 a name that is not there yet is watched once it is defined; without leave to wait it is NOT_FOUND',
  withServer(async (server) => {
    const ctx = await server.session('s')
    const stream = await server.stream()
    const selectors = [{ of: { $case: 'name' as const, value: 'later' } }]
    const patient = stream.create(1, 's', { selectors, allowMissing: true })
    const hasty = stream.create(2, 's', { selectors })
    await stream.when(() => patient.snapshots === 1 && hasty.canceled !== undefined)
    assert.equal(patient.created[0]?.missing, ['later'])
    assert.equal(hasty.canceled?.reason, Reason.REASON_NOT_FOUND)
    assert.match(String(hasty.canceled?.detail), 'Variable not found: later')
    await ctx.define('later', 'integer', 5)
    await ctx.set('later', 6)
    await ctx.delete('later')
    await ctx.define('later', 'integer', 7)
    await stream.fence(1)
    assert.equal(
      patient.events.map(({ op }) => op),
      [2, 1, 3, 2],
    )
    assert.equal(
      patient.events.map(({ defined }) => plain(defined?.value)),
      [5, undefined, undefined, 7],
    )
    assert.equal(stream.faults, [])
  }),
)

test(
  'I4 a barrier is answered when its watch is that far, also beside one that has no credit',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const slow = stream.create(1, 's', { credit: 1 })
    const fast = stream.create(2, 's')
    await stream.when(() => slow.snapshots === 1 && fast.snapshots === 1)
    const { revision } = await ctx.set('x', 1)
    stream.send({ $case: 'progress', value: { watchId: 1, atLeast: revision } })
    await stream.fence(2, revision)
    assert.equal([fast.through, slow.through], [revision, revision - 1])
    stream.ack(1, 1)
    await stream.when(() => slow.through === revision)
    // What never was is answered at once, and says how far the session is.
    await stream.fence(2, 1000)
    assert.equal([fast.through, fast.head], [revision, revision])
    assert.equal(stream.faults, [])
  }),
)

test(
  'I9 nothing follows a cancel that was acknowledged, and the number is free again',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    const sets = range(1, 200).map((value) => ctx.set('x', value))
    stream.send({ $case: 'cancel', value: { watchId: 1 } })
    await Promise.all(sets)
    await stream.when(() => watch.canceled !== undefined)
    await stream.sync('s')
    assert.equal(watch.canceled?.reason, Reason.REASON_CLIENT)
    assert.equal([stream.faults, server.stats['watches']], [[], 0])
  }),
)

test.run()
