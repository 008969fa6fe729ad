import { OnGap, Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { BridgeServer, type Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: tokens', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

type Body = (server: BridgeServer, ctx: Context, incarnation: string) => Promise<void>

/** A session `s` whose `x` was written `writes` times. */
function against(writes: number, body: Body): () => Promise<void> {
  return async () => {
    await using server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
    const ctx = await server.sessions.create('s')
    await ctx.define('x', 'integer', 0)
    await using stream = new RawStream(server.address)
    stream.watch(1, 's')
    const { incarnation } = await stream.next('created')
    for (let written = 0; written < writes; written += 500)
      await Promise.all(range(written + 1, Math.min(written + 500, writes)).map((value) => ctx.set('x', value)))
    await body(server, ctx, incarnation)
  }
}

async function resume(
  server: BridgeServer,
  incarnation: string,
  revision: number,
  onGap: OnGap = OnGap.ON_GAP_SNAPSHOT,
) {
  const stream = new RawStream(server.address, { acks: true })
  stream.watch(1, 's', { resume: { incarnation, revision }, onGap, credit: 65_536 })
  return stream
}

test(
  'fault 18: what the log still has is told and no snapshot; what it has not comes as one, or is refused',
  against(70_000, async (server, _ctx, incarnation) => {
    await using known = await resume(server, incarnation, 69_000)
    const created = await known.next('created')
    assert.is(created.resume, ResumeResult.RESUME_RESULT_RESUMED)
    await known.next('batch', ({ through }) => through === 70_001)
    assert.equal(
      known.events(1).map(({ revision }) => revision),
      range(69_001, 70_001),
    )
    assert.equal(known.all('snapshot'), [])
    const { compacted } = created
    assert.ok(compacted > 0 && compacted < 69_000, String(compacted))

    // Fault 20: the boundary is in the log, the one before it is not.
    await using edge = await resume(server, incarnation, compacted)
    assert.is((await edge.next('created')).resume, ResumeResult.RESUME_RESULT_RESUMED)
    await edge.next('batch', ({ prev }) => prev === compacted)
    assert.is(edge.events(1)[0]?.revision, compacted + 1)
    await using beyond = await resume(server, incarnation, compacted - 1)
    assert.is((await beyond.next('created')).resume, ResumeResult.RESUME_RESULT_COMPACTED)
    await beyond.next('snapshot', ({ last }) => last)
    await using refused = await resume(server, incarnation, 5, OnGap.ON_GAP_FAIL)
    const canceled = await refused.next('canceled')
    assert.is(canceled.reason, Reason.REASON_COMPACTED)
    assert.ok(canceled.compacted >= compacted)
  }),
)

test(
  'fault 19: a token of the future, of another incarnation, of nowhere: a snapshot that says so, never a silent wait',
  against(5, async (server, ctx, incarnation) => {
    await using future = await resume(server, incarnation, 1_000_000)
    assert.is((await future.next('created')).resume, ResumeResult.RESUME_RESULT_FUTURE)
    await future.next('snapshot', ({ last }) => last)
    for (const forged of ['another', '', incarnation.toUpperCase().split('').reverse().join('')]) {
      await using other = await resume(server, forged, 3)
      const result = (await other.next('created')).resume
      assert.is(result, ResumeResult.RESUME_RESULT_NEW_INCARNATION)
      await other.next('snapshot', ({ last }) => last)
      await using failing = await resume(server, forged, 3, OnGap.ON_GAP_FAIL)
      assert.is((await failing.next('canceled')).reason, Reason.REASON_NEW_INCARNATION)
    }
    await using now = await resume(server, incarnation, 6)
    assert.is((await now.next('created')).resume, ResumeResult.RESUME_RESULT_RESUMED)
    await ctx.set('x', 9)
    const { prev, through } = await now.next('batch')
    assert.equal([prev, through], [6, 7])
  }),
)

test(
  'fault 20: a deletion is told to who resumes before it',
  against(3, async (server, ctx, incarnation) => {
    await ctx.define('y', 'integer', 1)
    await ctx.delete('y')
    await using stream = await resume(server, incarnation, 4)
    await stream.next('batch', ({ through }) => through === 6)
    assert.equal(
      stream.events(1).map(({ op, revision }) => [op, revision]),
      [
        [2, 5],
        [3, 6],
      ],
    )
  }),
)

test(
  'fault 25: a watch of a session that is ended ends with the reason',
  against(3, async (server, ctx) => {
    await using stream = new RawStream(server.address)
    stream.watch(1, 's')
    await stream.next('snapshot', ({ last }) => last)
    await server.sessions.delete(ctx.id)
    assert.is((await stream.next('canceled')).reason, Reason.REASON_SESSION_CLOSED)
    stream.watch(2, 's')
    assert.is((await stream.next('canceled', ({ watchId }) => watchId === 2)).reason, Reason.REASON_NOT_FOUND)
  }),
)

test(
  'a barrier: progress with at least a revision comes behind it, and at once when the session is not so far',
  against(3, async (server, ctx) => {
    await using stream = new RawStream(server.address)
    stream.watch(1, 's')
    await stream.next('snapshot', ({ last }) => last)
    const { revision } = await ctx.set('x', 77)
    stream.send({ $case: 'progress', value: { watchId: 1, atLeast: revision } })
    const isIt = ({ watchId, through }: { watchId: number; through: number }) => watchId === 1 && through >= revision
    await stream.next('progress', ({ watches }) => watches.some(isIt))
    assert.is(stream.events(1).at(-1)?.revision, revision)
  }),
)

test(
  'a newer stream of the same client ends the older one',
  against(1, async (server) => {
    const identity = { clientId: 'one', instance: '1' }
    await using older = new RawStream(server.address, identity)
    await older.next('welcome')
    await using newer = new RawStream(server.address, identity)
    await newer.next('welcome')
    await older.ended
    await using other = new RawStream(server.address, { ...identity, instance: '2' })
    await other.next('welcome')
    newer.watch(1, 's')
    await newer.next('created')
  }),
)

test(
  'a command that is sent again with its number is answered again, and not carried out again',
  against(1, async (server, ctx) => {
    const op = {
      $case: 'set',
      value: { name: 'x', value: { kind: { $case: 'number', value: 5 } }, metadataJson: '' },
    } as const
    const identity = { clientId: 'again', instance: '1' }
    await using first = new RawStream(server.address, identity)
    first.command('s', op, 1)
    const reply = await first.reply(1)
    assert.is(reply.outcome?.$case, 'written')
    await using second = new RawStream(server.address, identity)
    second.command('s', op, 1)
    second.command('s', op, 1)
    await eventually(() => assert.is(second.all('reply').length, 2))
    assert.equal(second.all('reply')[0], reply)
    assert.is((await ctx.describe('x')).version, 2)
  }),
)

test.run()
