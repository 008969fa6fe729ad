import { Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import type { SessionState } from '../../src/variables/session-state.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { batchOf, createdOf, playJoin, ScriptedContext, setEvent } from './support/scripted-session.js'
import { begun, inSessionOf, onStage } from './support/scripted-stage.js'

const test = suite('sessions of a bridge')
const system = systemFor(test, { threads: 1 })
const inSession = inSessionOf(system)

test(
  'a context is told what is there, then every commit, one message for each frame',
  inSession(async ({ ctx, stream, watch }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11)), batchOf(watch, 6, 8, setEvent(1, 7, 12), setEvent(2, 8, 21)))
    const { events, through } = await ctx.hear('events')
    assert.is(through, 8)
    assert.equal(
      events.map(({ number, value, version, revision, timestamp }) => [number, value, version, revision, timestamp]),
      [
        [1, 11, 6, 6, 6],
        [1, 12, 7, 7, 7],
        [2, 21, 8, 8, 8],
      ],
    )
  }),
)

test(
  'a second context of the session gets the state of now from the same watch',
  inSession(async ({ ctx, bridge, stream, watch }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11, { metadataJson: '{"source":"far","unit":"m"}' })))
    await ctx.hear('events')
    const other = await system().self.call(bridge.pid, {
      kind: 'attach',
      session: ctx.session,
      pid: await system().spawn(async (self) => void (await self.receive())),
      create: true,
    })
    const [x, y] = (other as SessionState).variables
    assert.is((other as SessionState).revision, 6)
    assert.equal([x?.value, x?.version, x?.revision, x?.metadata], [11, 6, 6, { source: 'far', unit: 'm' }])
    assert.is(y?.value, 20)
    assert.is(stream.untaken('create'), 0)
  }),
)

test(
  'progress moves on what is known to have been seen, without events',
  inSession(async ({ ctx, stream, watch }) => {
    stream.say({ $case: 'progress', value: { watches: [{ watchId: watch, through: 9, head: 12 }] } })
    const { events, through, head } = await ctx.hear('events')
    assert.equal([events, through, head], [[], 9, 12])
    stream.say(batchOf(watch, 9, 10, setEvent(2, 10, 21)))
    assert.is((await ctx.hear('events')).through, 10)
  }),
)

test(
  'a session that is deleted is closed for its contexts',
  inSession(async ({ ctx, stream, watch }) => {
    const value = { watchId: watch, detail: '', compacted: 0, incarnation: '', retryAfterMs: 0 }
    stream.say({ $case: 'canceled', value: { ...value, reason: Reason.REASON_SESSION_CLOSED } })
    assert.is((await ctx.hear('closed')).error.code, 'NOT_FOUND')
  }),
)

test(
  'a context with a state is refused where the session is there',
  inSession(async ({ ctx }) => {
    await assert.rejects(ctx.attach({ state: begun }), 'ALREADY_EXISTS')
    const seen = { ...begun, revision: 5 }
    assert.is(await ctx.attach({ seen }), undefined)
  }),
)

test(
  'a context that has seen less than the others is told the rest, and they nothing twice',
  inSession(async ({ ctx, bridge, stream, watch }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11)))
    await ctx.hear('events')
    const late = new Promise<unknown[]>((resolve) => {
      void system().spawn(async (self) => {
        const request = { kind: 'attach', session: ctx.session, pid: self.pid, create: true, seen: begun }
        const answer = await self.call(bridge.pid, request)
        resolve([answer, await self.receive((message) => (message as { kind: string }).kind === 'sets')])
      })
    })
    const { resume, watchId } = await stream.next('create')
    assert.equal(resume, { incarnation: 'first', revision: 5 })
    stream.say(createdOf(watchId, { revision: 6, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
    stream.say(batchOf(watchId, 5, 7, setEvent(1, 6, 11), setEvent(1, 7, 12)))
    const [answer, told] = (await late) as [undefined, { values: unknown[] }]
    assert.is(answer, undefined)
    assert.equal(told.values, [11, 12])
    const { events } = await ctx.hear('events')
    assert.equal(
      events.map(({ value }) => value),
      [12],
    )
  }),
)

test(
  'what has come is acknowledged soon, and at once where half of the credit is used',
  inSession(async ({ ctx, stream, watch }) => {
    const many = Array.from({ length: 8192 }, (_, at) => setEvent(1, 6 + at, at))
    // What the snapshot used.
    await stream.next('ack')
    stream.say(batchOf(watch, 5, 8197, ...many))
    const { watches } = await stream.next('ack')
    assert.equal(watches, [{ watchId: watch, through: 8197, credit: 8192 }])
    await ctx.hear('events')
    stream.say(batchOf(watch, 8197, 8198, setEvent(1, 8198, 1)))
    assert.equal((await stream.next('ack')).watches, [{ watchId: watch, through: 8198, credit: 1 }])
  }),
)

test('a context that dies or leaves is the end of the watch when it was the last', () =>
  onStage(system(), async ({ bridge, stream }) => {
    const context = await system().spawn(async (self) => {
      await self.call(bridge.pid, { kind: 'attach', session: 'short', pid: self.pid, create: true })
      await self.receive((message) => message === 'go')
    })
    const watch = await playJoin(stream, begun)
    system().self.send(context, 'go')
    assert.equal(await stream.next('cancel'), { watchId: watch })
    assert.is((await bridge.stats()).sessions, 0)
  }))

test(
  'a bridge is asked and told only what it knows',
  inSession(async ({ bridge }) => {
    const { self } = system()
    await assert.rejects(self.call(bridge.pid, { kind: 'dance' }), 'INVALID_TYPE')
    await assert.rejects(self.call(bridge.pid, undefined), 'INVALID_TYPE')
    for (const nonsense of [7, undefined, { kind: 'command' }, { kind: 'command', session: 's', pid: self.pid }]) {
      self.cast(bridge.pid, nonsense)
      self.send(bridge.pid, nonsense)
    }
    const stranger = new ScriptedContext(system(), bridge, 'unattached')
    stranger.set('x', 1)
    assert.is((await stranger.hear('reply')).error?.code, 'UNAVAILABLE')
    assert.is(bridge.state, 'ready')
  }),
)

test.run()
