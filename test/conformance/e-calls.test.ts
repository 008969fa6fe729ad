import type { Call } from '../../src/actors/messages.js'
import { Server } from '../../src/actors/server.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk } from '../fixtures/desk.js'
import { assert, eventually } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('servers: calls and casts')

interface Told {
  readonly event: string
  readonly detail: unknown
}

/** The next thing that a desk tells of this kind. */
async function told(stage: Stage, event: string): Promise<unknown> {
  const message = await stage.self.receive((m): m is Told => (m as Told).event === event, { timeout: 20_000 })
  return message.detail
}

/** Lets the desk that asks go on. */
async function allow(stage: Stage, answer: unknown = 'yes'): Promise<void> {
  const isCall = (message: unknown): message is Call => (message as Call).type === 'CALL'
  stage.self.reply((await stage.self.receive(isCall, { timeout: 20_000 })).from, answer)
}

each('a call resolves to what the method returns, or what that resolves to', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  assert.is(await desk.add('one'), 1)
  assert.equal(await desk.log(), ['one'])
  const asked = desk.ask()
  await allow(stage, 'yes, you may')
  assert.is(await asked, 'yes, you may')
  assert.equal(await desk.echo(1, undefined, { pid: stage.self.pid }), [1, undefined, { pid: stage.self.pid }])
})

each('a reference from pid or name makes calls for another process', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { name: 'front desk' })
  await desk.add('one')
  for (const to of [desk, desk.pid, 'front desk']) {
    assert.equal(await Server.ref<Desk>(stage.self, to).log(), ['one'])
  }
  assert.throwsCode(() => Server.ref<Desk>(stage.self, 'back desk'), 'NOPROC')
})

each('E5 a call that takes too long rejects with CALL_TIMEOUT', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const late = Server.ref<Desk>(stage.self, desk, { timeout: 1 })
  const error = await assert.rejects(late.ask(), 'CALL_TIMEOUT', /within 1 ms/)
  assert.is(error.details['timeout'], 1)
  await allow(stage)
})

each('E6 the server does not notice that a caller has given up, and serves the next call', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  await assert.rejects(Server.ref<Desk>(stage.self, desk, { timeout: 1 }).addAsked('late'), 'CALL_TIMEOUT')
  await allow(stage)
  assert.equal(await desk.log(), ['late'])
})

each('E7 a late answer never comes up', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  await told(stage, 'init')
  await assert.rejects(Server.ref<Desk>(stage.self, desk, { timeout: 1 }).addAsked('late'), 'CALL_TIMEOUT')
  await allow(stage)
  await desk.log()
  assert.equal(await stage.rest(), [])
})

/** A call that would wait for ever is rejected: there is nobody to answer it. */
async function nobody(stage: Stage, to: Pid | string): Promise<void> {
  const call = stage.self.call(to, 'hello?', { timeout: Number.POSITIVE_INFINITY })
  assert.is((await assert.rejects(call, 'NOPROC', /no such process/)).details['reason'], 'noproc')
}

each('E8 a call to the dead rejects at once with NOPROC', async (stage, place) => {
  await nobody(stage, await stage.dead(place))
})

each('E12b a call to a name that nobody has rejects at once with NOPROC', async (stage) => {
  await nobody(stage, 'nobody')
})

each(
  'E9 when the server crashes during a call the caller is rejected at once, with the reason',
  async (stage, place) => {
    const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
    const queued = Server.ref<Desk>(stage.self, desk, { timeout: Number.POSITIVE_INFINITY })
    const [failed, waiting] = [queued.failLater('broken'), queued.log()]
    await allow(stage)
    for (const call of [failed, waiting]) {
      const { details, cause } = await assert.rejects(call, 'NOPROC', /TypeError: broken/)
      assert.equal((details['reason'] as { error: { code: string } }).error.code, 'E_FAIL')
      assert.is((cause as Error).message, 'broken')
      assert.is((cause as { code?: string }).code, 'E_FAIL')
    }
  },
)

each('E10 when the server stops without an answer the caller hears the reason, normal too', async (stage, place) => {
  for (const [message, reason] of [
    ['please leave', 'normal'],
    ['please stop', 'as told'],
  ]) {
    const desk = await stage.start(place, Desk, { boss: stage.self.pid })
    const waiting = desk.neverAnswers()
    stage.self.send(desk.pid, message)
    assert.is((await assert.rejects(waiting, 'NOPROC')).details['reason'], reason)
  }
})

each('E10 kill during a call rejects it with killed', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const asking = desk.ask()
  await stage.self.receive((message) => (message as Call).type === 'CALL')
  stage.self.exit(desk.pid, 'kill')
  assert.is((await assert.rejects(asking, 'NOPROC')).details['reason'], 'killed')
})

each('E11 a process that calls itself is rejected instead of waiting for itself', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  const error = await assert.rejects(desk.callsItself(), 'NOPROC')
  assert.match((error.cause as Error).message, /calls itself/)
  const own = await assert.rejects(stage.self.call(stage.self.pid, 'me?'), 'NOPROC', /calls itself/)
  assert.is(own.details['reason'], 'calling_self')
})

each('E12 a cast to the dead or the nameless does nothing', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  stage.self.exit(desk.pid, 'shutdown')
  await stage.reasonOf(desk.pid)
  assert.is(desk.cast.add('nobody'), undefined)
  assert.is(stage.self.cast('nobody', { method: 'add', args: [1] }), undefined)
})

each('E13 calls and casts of one client are handled in the order in which they were made', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const counts: Promise<number>[] = []
  for (let i = 0; i < 200; i++) {
    if (i % 3 === 0) counts.push(desk.add(i))
    else desk.cast.add(i)
  }
  assert.equal(await desk.log(), [...Array(200).keys()])
  assert.equal(
    await Promise.all(counts),
    counts.map((_, i) => i * 3 + 1),
  )
})

each('E14 another process may answer in the stead of the server', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const answer = { from: 'the clerk', pid: stage.self.pid }
  assert.equal(await desk.delegate(answer, 1), answer)
})

each('E15 a second answer is dropped, whoever gives it', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  await told(stage, 'init')
  assert.is(await desk.delegate('the first', 3), 'the first')
  assert.is(await desk.answersTwice(), 'the first')
  await desk.log()
  assert.equal(await stage.rest(), [])
})

each('E28 no message to a busy server is lost', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const asking = desk.ask()
  for (let i = 0; i < 3000; i++) desk.cast.add(i)
  await allow(stage)
  await asking
  assert.is((await desk.log()).length, 3000)
})

each('refuse rejects the caller with the error and ends nobody', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const { details } = await assert.rejects(desk.no('not today'), 'CONSTRAINT', /not today/)
  assert.ok(desk.pid.equals(details['desk']))
  const later = desk.noLater('nor tomorrow')
  await allow(stage)
  await assert.rejects(later, 'CONSTRAINT', /nor tomorrow/)
  desk.cast.no('nobody hears it')
  assert.equal(await desk.log(), [])
})

each('what is no public method is refused with NOT_FOUND, and the server lives on', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const unknown = [
    'missing',
    'init',
    'terminate',
    'handleInfo',
    'constructor',
    'toString',
    '__proto__',
    'self',
    '#tell',
  ]
  for (const method of unknown) {
    await assert.rejects(stage.self.call(desk.pid, { method, args: [] }), 'NOT_FOUND', /no public method/)
    stage.self.cast(desk.pid, { method, args: [] })
  }
  await assert.rejects(stage.self.call(desk.pid, 'no method call'), 'NOT_FOUND', /takes calls by method/)
  assert.equal(await desk.log(), [])
})

each('a call that cannot be sent rejects with NOT_CLONEABLE, and the server never sees it', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const { details } = await assert.rejects(desk.add({ run() {} }), 'NOT_CLONEABLE')
  assert.is(details['path'], 'args[0].run')
  assert.throwsCode(() => desk.cast.add(Symbol('x')), 'NOT_CLONEABLE')
  assert.equal(await desk.log(), [])
})

each('E25 an answer that no message can carry ends the server, and its caller hears why', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  const { details } = await assert.rejects(desk.unsendable(), 'NOPROC', /no message can carry/)
  assert.is((details['reason'] as { error: { code: string } }).error.code, 'NOT_CLONEABLE')
})

each('a server knows who waits, in a call and not in a cast', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  assert.equal(await desk.lastSeen(), { from: true })
  await told(stage, 'init')
  stage.self.cast(desk.pid, 'just info')
  assert.is(await told(stage, 'info'), 'just info')
})

each('the calls of a caller that dies are forgotten', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const caller = await stage.puppet('scheduler thread')
  caller.tell('call', desk.pid, { method: 'ask', args: [] })
  const isCall = (message: unknown): message is Call => (message as Call).type === 'CALL'
  const { from } = await stage.self.receive(isCall)
  stage.self.exit(caller.pid, 'kill')
  await eventually(() => !stage.system.isAlive(caller.pid))
  stage.self.reply(from, 'yes')
  assert.equal(await desk.log(), [])
})

test('a reference is no promise, and prints nothing', async (stage) => {
  const desk = await stage.start('scheduler thread', Desk, { boss: stage.self.pid })
  assert.is((await Promise.resolve(desk)).pid, desk.pid)
  assert.is(JSON.stringify({ desk: { pid: desk.pid } }).includes('#PID<'), true)
})

run()
