import { status } from '@grpc/grpc-js'
import { ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { toVariable } from '../../src/bridge/wire/native-codec.js'
import type { BeamlineError } from '../../src/errors.js'
import type { SessionState } from '../../src/variables/session-state.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { Linked, stateAt } from './support/linked.js'
import { createdOf, integer, playJoin, ScriptedContext, setEvent } from './support/scripted-session.js'
import { begun, onStage } from './support/scripted-stage.js'

const test = suite('contexts that come and come back to a session')
const system = systemFor(test, { threads: 1 })

test('after a resync to a lower revision all of its contexts hear of what follows', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(10) })
  linked.created(10)
  // Has seen less: what the first has had comes once more, and is not told it.
  linked.attach(2, { seen: stateAt(8) })
  linked.snapshot(stateAt(3, 'second'), ResumeResult.RESUME_RESULT_NEW_INCARNATION)
  linked.batch(3, 4, setEvent(1, 4, 4))
  assert.equal(linked.told, [
    [1, 'resync', 3],
    [1, 'events', [4]],
    [2, 'events', [4]],
  ])
  assert.equal(linked.answers.get(2), { ...stateAt(3, 'second'), server: 'one' })
})

test('a move is refused when the connection is lost before its answer, and nothing is left of it', () => {
  const linked = new Linked()
  linked.attach(1, { state: stateAt(3) })
  assert.is(linked.commands.length, 1)
  linked.lose()
  const error = linked.answers.get(1) as BeamlineError
  assert.equal([error.code, error.details['uncertain'], linked.ended], ['UNAVAILABLE', true, true])
  assert.match(error.message, /may or may not have been made/)
})

test('a move that only waited behind another was not begun', () => {
  const linked = new Linked()
  linked.attach(1)
  linked.attach(2, { state: stateAt(3) })
  linked.lose()
  const error = linked.answers.get(2) as BeamlineError
  assert.match(error.message, /was not begun/)
  assert.equal([linked.answers.has(1), linked.ended], [false, false])
  linked.lose(false)
  assert.is((linked.answers.get(1) as BeamlineError).code, 'UNAVAILABLE')
})

for (const back of [{ seen: stateAt(3) }, { again: true }, { again: true, state: stateAt(3) }])
  test(`who was of the session before waits for the next connection (${Object.keys(back)})`, () => {
    const linked = new Linked()
    linked.attach(1, back)
    linked.lose(false)
    assert.is(linked.answers.size, 0)
    linked.find('two')
    assert.is(linked.commands.length + linked.watches.length, 2)
  })

for (const whenOffline of ['wait', 'reject'] as const)
  test(`while there is no connection, only who was of the session before can attach (${whenOffline})`, () =>
    onStage(
      system(),
      async ({ server, bridge, stream }) => {
        const away = new Promise((resolve) => bridge.on('state', resolve))
        server.refusal = { code: status.UNAVAILABLE, details: 'away' }
        stream.end()
        await away
        await assert.rejects(new ScriptedContext(system(), bridge, 'moved').attach({ state: begun }), 'UNAVAILABLE')
        if (whenOffline === 'reject')
          await assert.rejects(new ScriptedContext(system(), bridge, 'new').attach(), 'UNAVAILABLE')
        const back = [
          new ScriptedContext(system(), bridge, 'seen').attach({ seen: begun }),
          new ScriptedContext(system(), bridge, 'again').attach({ again: true }),
        ]
        assert.is((await bridge.stats()).sessions, 2)
        server.refusal = undefined
        const next = await server.stream()
        next.welcome()
        const { watchId, sessionId } = await next.next('create')
        assert.is(sessionId, 'seen')
        next.say(createdOf(watchId, { ...begun, resume: ResumeResult.RESUME_RESULT_RESUMED }))
        await playJoin(next, begun)
        const [seen, again] = await Promise.all(back)
        assert.equal([seen, again?.revision], [undefined, 5])
      },
      { whenOffline },
    ))

test('a session that its server has deleted is not made again by who has seen it there', () => {
  const linked = new Linked()
  linked.attach(1, { seen: { ...stateAt(3), server: 'one' } })
  linked.attach(2, { seen: { ...stateAt(3), server: 'zero' } })
  linked.gone()
  assert.equal(
    [1, 2].map((slot) => (linked.answers.get(slot) as BeamlineError).code),
    ['NOT_FOUND', 'NOT_FOUND'],
  )
  assert.equal([linked.ended, linked.commands], [true, []])
})

test('a session that another server had is looked for, and then made again', () => {
  const linked = new Linked()
  linked.attach(1, { seen: { ...stateAt(3), server: 'zero' } })
  for (let look = 0; look < 6; look++) {
    linked.gone()
    linked.clock.advance(400)
  }
  const op = linked.commands[0]?.op
  assert.is(op?.$case === 'join' && op.value.state?.variables.length, 1)
  linked.joined()
  linked.snapshot(stateAt(1))
  assert.is((linked.answers.get(1) as SessionState).server, 'one')
})

test('with what a session was made is of no interest any more once it is there', () => {
  const linked = new Linked()
  const maker = linked.attach(1, { state: stateAt(1) })
  linked.joined()
  linked.snapshot(stateAt(1))
  assert.is((linked.answers.get(1) as SessionState).revision, 1)
  linked.link.attach(maker)
  assert.is((linked.answers.get(1) as BeamlineError).code, 'ALREADY_EXISTS')
})

test('a context hears where its session is', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(3) })
  linked.created(3)
  assert.is(linked.servers.at(-1), 'one')
})

test('a context that is ahead of the others goes on from where it is', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(10) })
  linked.attach(2, { seen: stateAt(12) })
  linked.created(12)
  assert.equal([...linked.answers.values()], [undefined, undefined])
  linked.batch(10, 11, setEvent(1, 11, 11))
  linked.batch(11, 13, setEvent(1, 12, 12), setEvent(1, 13, 13))
  linked.batch(13, 14, setEvent(1, 14, 14))
  assert.equal(linked.told, [
    [1, 'events', [11]],
    [1, 'events', [12, 13]],
    [2, 'events', [13]],
    [1, 'events', [14]],
    [2, 'events', [14]],
  ])
})

test('a context that is ahead of the server begins again with what that has', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(10) })
  linked.attach(2, { seen: stateAt(13) })
  linked.created(12)
  assert.equal([linked.answers.get(1), (linked.answers.get(2) as SessionState).revision], [undefined, 10])
})

test('a context that lacks what the server has no more begins again, and the others go on', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(10) })
  linked.created(12, ResumeResult.RESUME_RESULT_RESUMED, 'first', 9)
  linked.attach(2, { seen: stateAt(8) })
  assert.equal((linked.answers.get(2) as SessionState).revision, 10)
  linked.attach(3, { seen: stateAt(9) })
  assert.equal([linked.watches, linked.answers.has(3)], [[10, 9], false])
  linked.snapshot(stateAt(14), ResumeResult.RESUME_RESULT_COMPACTED, 13)
  assert.equal((linked.answers.get(3) as SessionState).revision, 14)
  assert.equal(linked.told, [
    [1, 'resync', 14],
    [2, 'resync', 14],
  ])
})

test('of a snapshot that the server starts over nothing is left', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(3) })
  linked.created(5, ResumeResult.RESUME_RESULT_COMPACTED)
  linked.part(false, toVariable(integer(1, 'x', 5)), toVariable(integer(2, 'ghost', 5)))
  linked.created(9, ResumeResult.RESUME_RESULT_COMPACTED)
  linked.part(true, toVariable(integer(1, 'x', 9)))
  const { variables, revision } = linked.answers.get(1) as SessionState
  assert.equal([revision, variables.map(({ name, value }) => [name, value])], [9, [['x', 9]]])
})

test('a snapshot that makes no sense closes its session, and only that', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(3) })
  linked.created(3)
  linked.created(5, ResumeResult.RESUME_RESULT_COMPACTED)
  linked.attach(2)
  linked.part(true, { ...toVariable(integer(1, 'x', 5)), base: 'newer' })
  assert.equal([linked.told, linked.ended], [[1, 2].map((slot) => [slot, 'closed', 'INVALID_TYPE']), true])
})

test('a session that was to begin again when the connection was lost does so on the next server', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(3) })
  linked.created(3)
  linked.batch(3, 4, setEvent(7, 4, 4))
  linked.lose()
  linked.find('two')
  assert.equal(linked.watches, [3, undefined, undefined])
  linked.snapshot(stateAt(6, 'second'))
  assert.equal(linked.told, [[1, 'resync', 6]])
})

test('a session that was to begin again, and that the next server does not have, is missing', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(3) })
  linked.created(3)
  linked.batch(3, 4, setEvent(7, 4, 4))
  linked.lose()
  linked.find('two')
  for (let look = 0; look < 6; look++) {
    linked.gone()
    linked.clock.advance(400)
  }
  assert.equal(linked.told, [[1, 'missing']])
  linked.lose()
  linked.find('three')
  assert.is(linked.watches.length, 8)
  linked.attach(1, { state: stateAt(3), again: true })
  assert.is(linked.commands.length, 1)
})

test.run()
