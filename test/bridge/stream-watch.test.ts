import { OnGap, Policy, Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
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

/** A log that forgets all but the last four events. */
const tiny = { events: 4, bytes: 1e6, ageMs: 1e9, fewest: 1 }

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
  'I5 a watch of the latest has the newest value of each variable, and how many it stands for',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b']) await ctx.define(name, 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_LATEST, credit: 2 })
    await stream.when(() => watch.snapshots === 1)
    for (const value of range(1, 10)) await ctx.set('a', value)
    await ctx.set('b', 1)
    await ctx.set('a', 11)
    await stream.sync('s')
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(
      watch.events.map(({ value, conflated }) => [plain(value), conflated]),
      [
        [1, 0],
        [11, 10],
      ],
    )
    assert.equal(watch.through, 14)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I5 nothing is merged over a deletion or a definition',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_LATEST, credit: 1 })
    await stream.when(() => watch.snapshots === 1)
    for (const value of [1, 2]) await ctx.set('x', value)
    await ctx.delete('x')
    await ctx.define('x', 'integer', 10)
    await ctx.delete('x')
    await ctx.define('x', 'integer', 20)
    for (const value of [21, 22]) await ctx.set('x', value)
    await stream.sync('s')
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(
      watch.events.map(({ op, value, defined, conflated }) => [op, plain(value ?? defined?.value), conflated]),
      [
        [1, 2, 1],
        [3, undefined, 0],
        [2, 20, 0],
        [1, 22, 1],
      ],
    )
    assert.equal(stream.faults, [])
  }),
)

test(
  'I5 a sampled watch waits its interval, and always ends with the newest value',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { policy: Policy.POLICY_SAMPLED, minIntervalMs: 40 })
    await stream.when(() => watch.snapshots === 1)
    const begin = performance.now()
    for (const value of range(1, 200)) await ctx.set('x', value)
    await stream.fence(1)
    const took = performance.now() - begin
    assert.equal(watch.values.at(-1), 200)
    assert.ok(watch.events.length <= took / 39 + 2, `${watch.events.length} events in ${took} ms`)
    const conflated = watch.events.reduce((sum, event) => sum + event.conflated, 0)
    assert.equal(conflated + watch.events.length, 200)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I6 a lossless watch that is overtaken ends loudly, or begins anew when it was asked to',
  withServer(
    async (server) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const stream = await server.stream()
      const strict = stream.create(1, 's', { credit: 1, onGap: OnGap.ON_GAP_FAIL })
      const lenient = stream.create(2, 's', { credit: 1 })
      const latest = stream.create(3, 's', { credit: 1, policy: Policy.POLICY_LATEST })
      await stream.when(() => strict.snapshots === 1 && lenient.snapshots === 1 && latest.snapshots === 1)
      for (const value of range(1, 10)) await ctx.set('x', value)
      await stream.sync('s')
      stream.send(
        ...[1, 2, 3].map((watchId) => ({
          $case: 'ack' as const,
          value: { watches: [{ watchId, through: 0, credit: 10 }], repliesSeen: 0 },
        })),
      )
      await stream.when(() => strict.canceled !== undefined && lenient.snapshots === 2)
      await stream.fence(3)
      assert.equal([strict.canceled?.reason, strict.canceled?.compacted], [Reason.REASON_SLOW_CONSUMER, 7])
      assert.equal(strict.events, [], 'nothing was skipped without a word')
      assert.equal(
        lenient.created.map(({ resume }) => resume),
        [1, 3],
      )
      assert.equal(plain(lenient.variables.at(-1)?.value), 10)
      assert.equal(
        latest.events.map(({ value, conflated }) => [plain(value), conflated]),
        [[10, 9]],
      )
      assert.equal(stream.faults, [])
    },
    { bounds: tiny },
  ),
)

test(
  'I4 I6 progress never goes beyond what was sent, however much was lost, and a bookmark of it is COMPACTED',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const fail = { onGap: OnGap.ON_GAP_FAIL }
    const watch = stream.create(1, 's', { ...fail, credit: 11 })
    await stream.when(() => watch.snapshots === 1)
    for (const _ of range(1, 70)) await Promise.all(range(1, 1000).map((value) => ctx.set('x', value)))
    await stream.sync('s')
    stream.send({ $case: 'progress', value: { watchId: 1, atLeast: 0 } })
    await stream.when(() => watch.canceled !== undefined)
    assert.is(watch.canceled?.reason, Reason.REASON_SLOW_CONSUMER)
    assert.equal([watch.events.length, watch.through], [10, 11])
    const again = stream.create(2, 's', { ...fail, ...token(watch.created[0]?.incarnation as string, watch.through) })
    await stream.when(() => again.canceled !== undefined)
    assert.is(again.canceled?.reason, Reason.REASON_COMPACTED)
    assert.equal(stream.faults, [])
  }),
)

test(
  'I7 no more is sent than was granted, variables of the snapshot included; a watch without credit costs nothing',
  withServer(async (server) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b', 'c']) await ctx.define(name, 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's', { credit: 2 })
    await stream.sync('s')
    assert.equal([watch.variables.length, watch.snapshots], [2, 0])
    stream.ack(1, 3)
    await stream.when(() => watch.snapshots === 1)
    for (const value of range(1, 9)) await ctx.set('a', value)
    await stream.sync('s')
    assert.equal(watch.values, [1, 2])
    stream.ack(1, 4)
    await stream.when(() => watch.events.length === 6)
    await stream.sync('s')
    assert.equal(watch.values, [1, 2, 3, 4, 5, 6])
    stream.ack(1, 100)
    await stream.fence(1)
    assert.equal(watch.values, range(1, 9))
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

const token = (incarnation: string, revision: number) => ({ resume: { incarnation, revision } })

test(
  'resume: what was missed and no snapshot, a snapshot, or a refusal, as the token and on_gap say',
  withServer(
    async (server) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const stream = await server.stream()
      const first = stream.create(1, 's')
      await stream.when(() => first.snapshots === 1)
      for (const value of range(1, 9)) await ctx.set('x', value)
      await stream.fence(1)
      const incarnation = first.created[0]?.incarnation as string
      const [head, compacted] = [10, 6]
      const fail = { onGap: OnGap.ON_GAP_FAIL }
      const rows = [
        { id: 10, wish: token(incarnation, head), result: ResumeResult.RESUME_RESULT_RESUMED, events: [] },
        { id: 11, wish: token(incarnation, 8), result: ResumeResult.RESUME_RESULT_RESUMED, events: [8, 9] },
        {
          id: 12,
          wish: token(incarnation, compacted),
          result: ResumeResult.RESUME_RESULT_RESUMED,
          events: [6, 7, 8, 9],
        },
        { id: 13, wish: token(incarnation, compacted - 1), result: ResumeResult.RESUME_RESULT_COMPACTED },
        { id: 14, wish: token(incarnation, head + 1), result: ResumeResult.RESUME_RESULT_FUTURE },
        { id: 15, wish: token('other', 3), result: ResumeResult.RESUME_RESULT_NEW_INCARNATION },
        {
          id: 16,
          wish: { ...token(incarnation, 8), ...fail },
          result: ResumeResult.RESUME_RESULT_RESUMED,
          events: [8, 9],
        },
        { id: 17, wish: { ...token(incarnation, 2), ...fail }, reason: Reason.REASON_COMPACTED },
        { id: 18, wish: { ...token(incarnation, 99), ...fail }, reason: Reason.REASON_NEW_INCARNATION },
        { id: 19, wish: { ...token('other', 3), ...fail }, reason: Reason.REASON_NEW_INCARNATION },
      ]
      for (const { id, wish } of rows) stream.create(id, 's', wish)
      await stream.when(() => rows.every(({ id }) => stream.watch(id).canceled ?? stream.watch(id).created.length > 0))
      await stream.sync('s')
      for (const { id, result, events, reason } of rows) {
        const watch = stream.watch(id)
        assert.equal([watch.created[0]?.resume, watch.canceled?.reason], [result, reason], `row ${id}`)
        if (events !== undefined) assert.equal([watch.values, watch.snapshots], [events, 0], `row ${id}`)
        else if (reason === undefined)
          assert.equal(
            watch.variables.map(({ value }) => plain(value)),
            [9],
            `row ${id}`,
          )
        else assert.equal(watch.canceled?.compacted, compacted)
      }
      assert.equal(stream.faults, [])
    },
    { bounds: tiny },
  ),
)

test(
  'resume: a variable that was deleted meanwhile is told of as such',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const first = stream.create(1, 's')
    await stream.when(() => first.snapshots === 1)
    await ctx.set('x', 1)
    await ctx.delete('x')
    await stream.fence(1)
    const incarnation = first.created[0]?.incarnation as string
    const selectors = [{ of: { $case: 'name' as const, value: 'x' } }]
    const again = stream.create(2, 's', { ...token(incarnation, 1), selectors })
    await stream.when(() => again.events.length === 2)
    assert.equal(
      again.events.map(({ op }) => op),
      [1, 3],
    )
    assert.equal(stream.faults, [])
  }),
)

test(
  'a session that ends is told to the end first; one that is not there is NOT_FOUND',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's')
    const none = stream.create(2, 'nowhere')
    await stream.when(() => watch.snapshots === 1 && none.canceled !== undefined)
    assert.equal(
      [none.canceled?.reason, none.canceled?.detail],
      [Reason.REASON_NOT_FOUND, 'Session not found: nowhere'],
    )
    const sets = range(1, 100).map((value) => ctx.set('x', value))
    await Promise.all(sets)
    await server.sessions.delete('s')
    await stream.when(() => watch.canceled !== undefined)
    assert.equal([watch.values, watch.canceled?.reason], [range(1, 100), Reason.REASON_SESSION_CLOSED])
    const again = await server.session('s')
    await again.define('y', 'integer', 3)
    const next = stream.create(3, 's', token(watch.canceled?.incarnation as string, 50))
    await stream.when(() => next.snapshots === 1)
    assert.equal(next.created[0]?.resume, ResumeResult.RESUME_RESULT_NEW_INCARNATION)
    assert.equal(
      next.variables.map(({ name }) => name),
      ['y'],
    )
    assert.equal(stream.faults, [])
  }),
)

test.run()
