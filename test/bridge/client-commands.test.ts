import { type Command, ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { toVariable } from '../../src/bridge/wire/native-codec.js'
import type { ManyWritten } from '../../src/variables/change.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import type { ScriptedServer, ScriptedStream } from './support/scripted-server.js'
import {
  batchOf,
  createdOf,
  failureTo,
  integer,
  replyTo,
  ScriptedContext,
  setEvent,
  writtenTo,
} from './support/scripted-session.js'
import { inSessionOf } from './support/scripted-stage.js'

const test = suite('commands of a bridge')
const system = systemFor(test, { threads: 1 })

const inSession = inSessionOf(system)

/** The values that the next so many sets write, and their numbers. */
async function sets(stream: ScriptedStream, count: number): Promise<(readonly [id: number, value: unknown])[]> {
  const found: (readonly [number, unknown])[] = []
  while (found.length < count) {
    const { id, op } = await stream.next('command')
    const kind = op?.$case === 'set' ? op.value.value?.kind : undefined
    found.push([id, kind?.$case === 'number' ? kind.value : op?.$case])
  }
  return found
}

/** The next stream of the client, on which its watch goes on. */
async function resumed(server: ScriptedServer, serverId = 'one', maxFrameBytes = 0): Promise<ScriptedStream> {
  const stream = await server.stream()
  stream.welcome({ serverId, maxFrameBytes })
  const { watchId } = await stream.next('create')
  stream.say(createdOf(watchId, { revision: 5, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
  return stream
}

test(
  'each kind of command travels as it is, and is answered in its own way',
  inSession(async ({ ctx, stream }) => {
    const info = integer(2, 'y', 1)
    const told = async (outcome: (id: number) => Parameters<ScriptedStream['say']>[0]) => {
      const { id, op } = await stream.next('command')
      stream.say(outcome(id))
      const { answer, error } = await ctx.hear('reply')
      if (error !== undefined) throw error
      return { op: op as NonNullable<Command['op']>, answer }
    }
    ctx.tell({
      op: 'define',
      name: 'y',
      type: 'integer',
      initial: 1,
      constraints: { min: 0 },
      description: 'd',
      metadata: undefined,
    })
    const defined = await told((id) => replyTo(id, 6, { $case: 'variables', value: { variables: [toVariable(info)] } }))
    assert.equal(defined.answer, info)
    assert.is(defined.op.$case === 'define' && defined.op.value.constraintsJson, '{"min":0}')
    ctx.tell({ op: 'set', write: { name: 'x', value: 7, metadata: { source: 'me' }, expectedVersion: 3 } })
    const set = await told((id) => writtenTo(id, 7))
    assert.equal(set.answer, { version: 7, revision: 7 })
    assert.equal(set.op.value, {
      name: 'x',
      value: { kind: { $case: 'number', value: 7 } },
      metadataJson: '{"source":"me"}',
      expectedVersion: 3,
    })
    ctx.tell({ op: 'set-many', writes: [{ name: 'x', value: 7 }], atomic: true })
    const failure = { code: 'NOT_FOUND', message: 'no', detailsJson: '{"name":"z"}' }
    const many = { revision: 8, versions: { x: 8 }, errors: { z: failure } }
    const answer = (await told((id) => replyTo(id, 8, { $case: 'many', value: many }))).answer as ManyWritten
    const { versions, errors } = answer
    assert.equal([versions, errors['z']?.code, errors['z']?.message], [{ x: 8 }, 'NOT_FOUND', 'no'])
    ctx.tell({ op: 'rollback', name: 'x', version: 2 })
    const value = { version: 9, revision: 9, value: { kind: { $case: 'number' as const, value: 3 } } }
    assert.equal((await told((id) => replyTo(id, 9, { $case: 'written', value }))).answer, {
      version: 9,
      revision: 9,
      value: 3,
    })
    ctx.tell({ op: 'history', name: 'x', limit: Number.MAX_SAFE_INTEGER })
    const history = await told((id) => replyTo(id, 9, { $case: 'entries', value: { entries: [] } }))
    assert.equal([history.answer, history.op.value], [[], { name: 'x', limit: 0 }])
    for (const command of [
      { op: 'delete', name: 'x' },
      { op: 'sync', first: false },
    ] as const) {
      ctx.tell(command)
      assert.is((await told((id) => replyTo(id, 9, { $case: 'done', value: {} }))).answer, undefined)
    }
  }),
)

test(
  'a refusal is the answer, and so is that a value cannot travel',
  inSession(async ({ ctx, stream }) => {
    ctx.set('x', 'text')
    stream.say(failureTo((await stream.next('command')).id, 'CONSTRAINT'))
    assert.is((await ctx.hear('reply')).error?.code, 'CONSTRAINT')
    ctx.set('x', new Date())
    assert.is((await ctx.hear('reply')).error?.code, 'INVALID_TYPE')
    ctx.set('x', 'x'.repeat(5 * 1024 * 1024))
    assert.is((await ctx.hear('reply')).error?.code, 'OVERFLOW')
  }),
)

test(
  'no frame is larger than the server takes, and a command that would be is refused',
  inSession(async ({ ctx, server, stream, bridge }) => {
    const lost = new Promise((resolve) => bridge.on('state', resolve))
    stream.end()
    await lost
    const next = await resumed(server, 'one', 2000)
    const before = next.frames
    for (let value = 0; value < 6; value++) ctx.set('x', `${value}`.repeat(900))
    ctx.set('x', 'x'.repeat(2000))
    const { error } = await ctx.hear('reply')
    assert.equal([error?.code, error?.details['limit']], ['OVERFLOW', 1984])
    await sets(next, 6)
    assert.ok(next.frames - before >= 3)
  }),
)

test(
  'answers keep their place among the events',
  inSession(async ({ ctx, stream, watch }) => {
    const seqs = [ctx.set('x', 1), ctx.set('x', 2)]
    const [first, second] = await sets(stream, 2)
    stream.say(
      writtenTo(first?.[0] as number, 6),
      batchOf(watch, 5, 6, setEvent(1, 6, 1)),
      batchOf(watch, 6, 7, setEvent(1, 7, 2)),
      writtenTo(second?.[0] as number, 7),
      batchOf(watch, 7, 8, setEvent(1, 8, 3)),
    )
    assert.equal(await ctx.kinds(4), ['reply', 'events', 'reply', 'events'])
    assert.is(seqs.length, 2)
  }),
)

test(
  'what must be committed after a sync waits for its answer',
  inSession(async ({ ctx, stream }) => {
    ctx.set('x', 1)
    ctx.tell({ op: 'sync', first: true })
    ctx.set('x', 2)
    const [[before] = [], [sync] = []] = await sets(stream, 2)
    stream.say(writtenTo(before as number, 6))
    await ctx.hear('reply')
    assert.is(stream.untaken('command'), 0)
    stream.say(replyTo(sync as number, 6, { $case: 'done', value: {} }))
    assert.equal(
      (await sets(stream, 1)).map(([, value]) => value),
      [2],
    )
  }),
)

test(
  'commands of one turn are one frame',
  inSession(async ({ ctx, stream }) => {
    const before = stream.frames
    for (let value = 0; value < 1000; value++) ctx.set('x', value)
    const values = (await sets(stream, 1000)).map(([, value]) => value)
    assert.equal(values, [...values.keys()])
    assert.ok(stream.frames - before < 100, `${stream.frames - before} frames`)
  }),
)

test(
  'what was not answered is sent again to the same server, under its number, and what waited after it',
  inSession(async ({ ctx, server, stream, bridge }) => {
    ctx.set('x', 1)
    ctx.set('x', 2)
    const [one, two] = await sets(stream, 2)
    stream.say(writtenTo(one?.[0] as number, 6))
    await ctx.hear('reply')
    const lost = new Promise((resolve) => bridge.on('state', resolve))
    stream.end()
    await lost
    ctx.set('x', 3)
    const next = await server.stream()
    next.welcome()
    assert.is((await next.next('hello')).repliesSeen, one?.[0])
    assert.equal(await sets(next, 1), [two])
    const { watchId } = await next.next('create')
    next.say(createdOf(watchId, { revision: 5, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
    const [[id, value] = []] = await sets(next, 1)
    assert.equal([id, value], [(two?.[0] as number) + 1, 3])
    next.say(writtenTo(two?.[0] as number, 7), writtenTo(id as number, 8))
    assert.is((await ctx.hear('reply')).revision, 7)
    assert.is((await ctx.hear('reply')).revision, 8)
  }),
)

test(
  'what was under way when the server was replaced is not sent again: nobody knows whether it was carried out',
  inSession(async ({ ctx, server, stream, bridge }) => {
    ctx.set('x', 1)
    await sets(stream, 1)
    const lost = new Promise((resolve) => bridge.on('state', resolve))
    stream.end()
    await lost
    ctx.set('x', 2)
    const next = await resumed(server, 'two')
    const { error } = await ctx.hear('reply')
    assert.is(error?.code, 'UNAVAILABLE')
    assert.match(error?.message ?? '', /may or may not have been carried out/)
    assert.equal(
      (await sets(next, 1)).map(([, value]) => value),
      [2],
    )
  }),
)

test(
  'without a connection a command is rejected where that was asked, and what is under way keeps its answer',
  inSession(
    async ({ ctx, server, stream, bridge }) => {
      ctx.set('x', 1)
      const [[id] = []] = await sets(stream, 1)
      const lost = new Promise((resolve) => bridge.on('state', resolve))
      stream.end()
      await lost
      const seq = ctx.set('x', 2)
      const { error, seq: rejected } = await ctx.hear('reply')
      assert.equal([error?.code, rejected], ['UNAVAILABLE', seq])
      assert.match(error?.message ?? '', /was not begun/)
      await assert.rejects(new ScriptedContext(system(), bridge, 'other').attach(), 'UNAVAILABLE')
      const next = await resumed(server)
      assert.equal(await sets(next, 1), [[id, 1]])
      next.say(writtenTo(id as number, 6))
      assert.is((await ctx.hear('reply')).error, undefined)
    },
    { whenOffline: 'reject', backoff: { base: 200, cap: 200 } },
  ),
)

test(
  'the server hears which answers have arrived',
  inSession(async ({ ctx, stream }) => {
    // What the snapshot used.
    await stream.next('ack')
    ctx.set('x', 1)
    const [[id] = []] = await sets(stream, 1)
    stream.say(writtenTo(id as number, 6))
    await ctx.hear('reply')
    assert.is((await stream.next('ack')).repliesSeen, id)
  }),
)

test(
  'after a goodbye of the server what was sent is answered, and what comes then waits for the next stream',
  inSession(async ({ ctx, server, stream }) => {
    ctx.set('x', 1)
    const [[id] = []] = await sets(stream, 1)
    stream.say({ $case: 'goAway', value: { reason: 'update', graceMs: 5000, retryAfterMs: 1 } })
    stream.say(writtenTo(id as number, 6))
    await ctx.hear('reply')
    ctx.set('x', 2)
    stream.end()
    const next = await resumed(server)
    assert.equal(
      (await sets(next, 1)).map(([, value]) => value),
      [2],
    )
    assert.is(stream.untaken('command'), 0)
  }),
)

test(
  'who closes the bridge waits for what was sent',
  inSession(async ({ ctx, bridge, stream }) => {
    ctx.set('x', 1)
    const [[id] = []] = await sets(stream, 1)
    const closing = bridge.close()
    stream.say(writtenTo(id as number, 6))
    await closing
    assert.is((await ctx.hear('reply')).error, undefined)
    assert.is((await ctx.hear('closed')).error.code, 'STOPPED')
  }),
)

test.run()
