import { Reason, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import type { ScriptedStream } from './support/scripted-server.js'
import { batchOf, createdOf, integer, playWatch, setEvent } from './support/scripted-session.js'
import { begun, gone, inSessionOf } from './support/scripted-stage.js'

const test = suite('outages of a session')
const system = systemFor(test, { threads: 1 })
const inSession = inSessionOf(system)

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
      events.map(({ number, more }) => [number, more]),
      [
        [1, true],
        [2, false],
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
    assert.equal(
      events.map(({ value }) => value),
      [12],
    )
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
  'a watch whose client was too slow begins again from its token',
  inSession(async ({ ctx, stream, watch }) => {
    const value = { watchId: watch, detail: '', compacted: 9, incarnation: 'first', retryAfterMs: 0 }
    stream.say({ $case: 'canceled', value: { ...value, reason: Reason.REASON_SLOW_CONSUMER } })
    await playWatch(stream, { ...begun, revision: 12 }, ResumeResult.RESUME_RESULT_COMPACTED)
    assert.is((await ctx.hear('resync')).state.revision, 12)
  }),
)

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

test.run()
