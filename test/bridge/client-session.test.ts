import { Bridge } from '../../src/bridge/client/bridge.js'
import { Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import type { SessionState } from '../../src/variables/session-state.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { ScriptedServer, type ScriptedStream } from './support/scripted-server.js'
import {
  batchOf,
  createdOf,
  integer,
  playJoin,
  playWatch,
  ScriptedContext,
  setEvent,
} from './support/scripted-session.js'

const test = suite('sessions of a bridge')
const system = systemFor(test, { threads: 1 })

const begun: SessionState = {
  incarnation: 'first',
  revision: 5,
  variables: [integer(1, 'x', 10), integer(2, 'y', 20)],
}

type Stage = { server: ScriptedServer; bridge: Bridge; stream: ScriptedStream }

/** A bridge that is connected to a server which does what the test says. */
function onStage(body: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await ScriptedServer.start()
    const connecting = Bridge.connect(system(), server.address, { backoff: { base: 1, cap: 20 } })
    const stream = await server.stream()
    stream.welcome()
    const bridge = await connecting
    try {
      await body({ server, bridge, stream })
    } finally {
      server.stop()
      await bridge.close()
    }
  }
}

/** The same with a context in the session `s`. */
function inSession(body: (stage: Stage & { ctx: ScriptedContext; watch: number }) => Promise<void>) {
  return onStage(async (stage) => {
    const ctx = new ScriptedContext(system(), stage.bridge, `s${++sessions}`)
    const attached = ctx.attach()
    const watch = await playJoin(stage.stream, begun)
    assert.equal(await attached, begun)
    await ctx.hear('link')
    await body({ ...stage, ctx, watch })
    await ctx.detach()
  })
}
let sessions = 0

test(
  'a context is told what is there, then every commit with what was before, one message for each frame',
  inSession(async ({ ctx, stream, watch }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11)), batchOf(watch, 6, 8, setEvent(1, 7, 12), setEvent(2, 8, 21)))
    const { events, through } = await ctx.hear('events')
    assert.is(through, 8)
    assert.equal(
      events.map(({ name, previous, value, revision }) => [name, previous, value, revision]),
      [
        ['x', 10, 11, 6],
        ['x', 11, 12, 7],
        ['y', 20, 21, 8],
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
  'a revision in parts is handed over whole, and only then counts as had',
  inSession(async ({ ctx, server, stream, watch }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11, { more: true })))
    stream.end()
    const next = await server.stream()
    next.welcome()
    const { resume, watchId } = await next.next('create')
    assert.equal(resume, { incarnation: 'first', revision: 5 })
    next.say(createdOf(watchId, { revision: 6, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
    next.say(batchOf(watchId, 5, 6, setEvent(1, 6, 11, { more: true })))
    next.say(batchOf(watchId, 6, 6, setEvent(2, 6, 21)))
    const { events } = await ctx.hear('events')
    assert.equal(
      events.map(({ name, more }) => [name, more]),
      [
        ['x', true],
        ['y', false],
      ],
    )
  }),
)

test(
  'a lost connection is told as stale, and the watch goes on after what was seen',
  inSession(async ({ ctx, server, stream, watch, bridge }) => {
    stream.say(batchOf(watch, 5, 6, setEvent(1, 6, 11)))
    await ctx.hear('events')
    stream.end()
    assert.is((await ctx.hear('link')).state, 'stale')
    const next = await server.stream()
    next.welcome()
    const { resume, watchId } = await next.next('create')
    assert.equal(resume, { incarnation: 'first', revision: 6 })
    next.say(createdOf(watchId, { revision: 7, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
    next.say(batchOf(watchId, 6, 7, setEvent(1, 7, 12)))
    assert.is((await ctx.hear('link')).state, 'live')
    const { events } = await ctx.hear('events')
    assert.equal([events[0]?.previous, events[0]?.value], [11, 12])
    assert.is((await bridge.stats()).reconnects, 1)
  }),
)

const gaps: [what: string, fault: (stream: ScriptedStream, watch: number) => void][] = [
  ['a batch that does not follow', (stream, watch) => stream.say(batchOf(watch, 6, 7, setEvent(1, 7, 12)))],
  ['a batch that comes twice', (stream, watch) => stream.say(batchOf(watch, 4, 5, setEvent(1, 5, 10)))],
  [
    'a frame that is missing',
    (stream, watch) => stream.sayAs(stream.seq + 2, batchOf(watch, 5, 6, setEvent(1, 6, 11))),
  ],
  ['a frame that comes twice', (stream, watch) => stream.sayAs(stream.seq, batchOf(watch, 5, 6, setEvent(1, 6, 11)))],
]

for (const [what, fault] of gaps) {
  test(
    `${what} is noticed: the stream is dropped, and the session resumes`,
    inSession(async ({ ctx, server, stream, watch, bridge }) => {
      fault(stream, watch)
      await stream.closed
      const next = await server.stream()
      next.welcome()
      const { resume, watchId } = await next.next('create')
      assert.equal(resume, { incarnation: 'first', revision: 5 })
      next.say(createdOf(watchId, { revision: 6, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
      next.say(batchOf(watchId, 5, 6, setEvent(1, 6, 11)))
      assert.equal(
        (await ctx.hear('events')).events.map(({ value }) => value),
        [11],
      )
      assert.is((await bridge.stats()).gaps, 1)
    }),
  )
}

for (const resume of [
  ResumeResult.RESUME_RESULT_COMPACTED,
  ResumeResult.RESUME_RESULT_NEW_INCARNATION,
  ResumeResult.RESUME_RESULT_FUTURE,
] as const) {
  test(
    `a watch that cannot resume (${resume}) is a resync, for the context and for the bridge`,
    inSession(async ({ ctx, server, stream, bridge }) => {
      const heard = new Promise<string>((resolve) => bridge.on('resync', ({ session }) => resolve(session)))
      stream.end()
      const next = await server.stream()
      next.welcome()
      await playWatch(next, { incarnation: 'second', revision: 3, variables: [integer(1, 'x', 99)] }, resume)
      const { state, reason } = await ctx.hear('resync')
      assert.equal([state.incarnation, state.revision, state.variables[0]?.value], ['second', 3, 99])
      assert.is.not(reason, '')
      assert.is(await heard, ctx.session)
    }),
  )
}

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
  'a watch whose client was too slow begins again from its token',
  inSession(async ({ ctx, stream, watch }) => {
    const value = { watchId: watch, detail: '', compacted: 9, incarnation: 'first', retryAfterMs: 0 }
    stream.say({ $case: 'canceled', value: { ...value, reason: Reason.REASON_SLOW_CONSUMER } })
    await playWatch(stream, { ...begun, revision: 12 }, ResumeResult.RESUME_RESULT_COMPACTED)
    assert.is((await ctx.hear('resync')).state.revision, 12)
  }),
)

const gone = (watchId: number) => {
  const reason = Reason.REASON_NOT_FOUND
  return {
    $case: 'canceled',
    value: { watchId, reason, detail: '', compacted: 0, incarnation: '', retryAfterMs: 0 },
  } as const
}

test(
  'a session that a new server does not have is missing after some looks, and comes back with the state of a context',
  inSession(async ({ ctx, server, stream }) => {
    stream.end()
    const next = await server.stream()
    next.welcome({ serverId: 'two' })
    for (let look = 0; look < 6; look++) next.say(gone((await next.next('create')).watchId))
    await ctx.hear('missing')
    const state = { ...begun, incarnation: '' }
    const attached = ctx.attach({ state })
    const { id, op } = await next.next('command')
    assert.equal(op?.$case === 'join' && op.value.state?.variables.length, 2)
    const joined = { incarnation: 'again', revision: 5, created: true }
    next.say({ $case: 'reply', value: { id, revision: 5, outcome: { $case: 'joined', value: joined } } })
    await playWatch(next, { ...begun, incarnation: 'again' })
    assert.is((await attached)?.incarnation, 'again')
  }),
)

test(
  'a session that a new server gets a little later goes on there, as one that began anew',
  inSession(async ({ ctx, server, stream }) => {
    stream.end()
    const next = await server.stream()
    next.welcome({ serverId: 'two' })
    next.say(gone((await next.next('create')).watchId))
    await playWatch(next, { ...begun, incarnation: 'again' }, ResumeResult.RESUME_RESULT_NEW_INCARNATION)
    assert.is((await ctx.hear('resync')).state.incarnation, 'again')
  }),
)

test(
  'a session that the same server has no more was deleted',
  inSession(async ({ ctx, server, stream }) => {
    stream.end()
    const next = await server.stream()
    next.welcome()
    next.say(gone((await next.next('create')).watchId))
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
        resolve([answer, await self.receive((message) => (message as { kind: string }).kind === 'events')])
      })
    })
    const { resume, watchId } = await stream.next('create')
    assert.equal(resume, { incarnation: 'first', revision: 5 })
    stream.say(createdOf(watchId, { revision: 6, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
    stream.say(batchOf(watchId, 5, 7, setEvent(1, 6, 11), setEvent(1, 7, 12)))
    const [answer, told] = (await late) as [undefined, { events: { value: unknown }[] }]
    assert.is(answer, undefined)
    assert.equal(
      told.events.map(({ value }) => value),
      [11, 12],
    )
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

test(
  'a context that dies or leaves is the end of the watch when it was the last',
  onStage(async ({ bridge, stream }) => {
    const context = await system().spawn(async (self) => {
      await self.call(bridge.pid, { kind: 'attach', session: 'short', pid: self.pid, create: true })
      await self.receive((message) => message === 'go')
    })
    const watch = await playJoin(stream, begun)
    system().self.send(context, 'go')
    assert.equal(await stream.next('cancel'), { watchId: watch })
    assert.is((await bridge.stats()).sessions, 0)
  }),
)

test.run()
