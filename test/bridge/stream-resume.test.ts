import { OnGap, Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { plain } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: beginning and end of a watch')
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

/** A log that forgets all but the last four events. */
const tiny = { events: 4, bytes: 1e6, ageMs: 1e9, fewest: 1 }

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

test.run()
