import { Pid } from '../../src/threads/pid.js'
import { drain, perform } from '../fixtures/parts.js'
import { errorOf } from '../fixtures/puppet.js'
import { assert } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('sending and receiving')

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

async function resultOf(stage: Stage, place: Place, part: string): Promise<unknown> {
  await stage.spawn(place, perform, { boss: stage.self.pid, part }, {}, 'parts')
  const { result } = await stage.hear<{ result: unknown }>()
  return result
}

each('A1 what one process sends to another arrives in order', async (stage, place) => {
  const sender = await stage.puppet(place)
  await sender.do('flood', stage.self.pid, 2000)
  assert.equal(await stage.rest(), upTo(2000))
})

each('A1 so it does the other way', async (stage, place) => {
  const receiver = await stage.puppet(place)
  for (const i of upTo(2000)) stage.self.send(receiver.pid, i)
  for (const i of upTo(2000)) assert.is(await stage.heardBy(receiver), i)
})

each('A1 two senders do not disturb the order of each other', async (stage, place) => {
  const senders = [await stage.puppet(place), await stage.puppet('scheduler thread', { thread: 1 })]
  const receiver = await stage.puppet(place)
  for (const sender of senders) sender.tell('flood', receiver.pid, 500)
  const seen = []
  for (let i = 0; i < 1000; i++) seen.push(await stage.heardBy(receiver))
  assert.equal(
    seen.sort((a, b) => Number(a) - Number(b)),
    upTo(1000).map((i) => i >> 1),
  )
})

each('A2 the order covers exits between messages', async (stage, place) => {
  const receiver = await stage.puppet(place)
  await receiver.do('trapExit', true)
  for (let i = 0; i < 50; i++) {
    stage.self.send(receiver.pid, 'before')
    stage.self.exit(receiver.pid, `why ${i}`)
    stage.self.send(receiver.pid, 'after')
    assert.is(await stage.heardBy(receiver), 'before')
    assert.equal(await stage.heardBy(receiver), { type: 'EXIT', pid: stage.self.pid, reason: `why ${i}` })
    assert.is(await stage.heardBy(receiver), 'after')
  }
})

each('A2 the order covers calls, casts, links and monitors among messages', async (stage, place) => {
  const other = await stage.puppet(place)
  stage.self.trapExit = true
  stage.self.send(other.pid, 'first')
  stage.self.link(other.pid)
  const ref = stage.self.monitor(other.pid)
  other.tell('send', stage.self.pid, 'last words')
  other.tell('exitWith', 'done')
  stage.self.send(other.pid, 'too late')
  assert.is(await stage.heardBy(other), 'first')
  assert.is(await stage.hear(), 'last words')
  const deaths = [await stage.hear(), await stage.hear()]
  assert.equal(deaths, [
    { type: 'EXIT', pid: other.pid, reason: 'done' },
    { type: 'DOWN', ref, pid: other.pid, reason: 'done' },
  ])
  assert.equal(await stage.rest(), [])
})

each('A3 the last messages of a dying process arrive before its DOWN and its EXIT', async (stage, place) => {
  stage.self.trapExit = true
  const rounds = place === 'isolated' ? 10 : 200
  for (let i = 0; i < rounds; i++) {
    const dying = await stage.puppet(place, { link: true, monitor: true })
    dying.tell('all', [
      { move: 'flood', args: [stage.self.pid, 20] },
      { move: 'exitWith', args: ['bye'] },
    ])
    for (const n of upTo(20)) assert.is(await stage.hear(), n)
    const deaths = [await stage.hear<{ type: string }>(), await stage.hear<{ type: string }>()]
    assert.equal(deaths.map(({ type }) => type).sort(), ['DOWN', 'EXIT'])
  }
})

each('A4 sending to a dead process does nothing', async (stage, place) => {
  const dead = await stage.dead(place)
  const sender = await stage.puppet(place)
  for (const send of ['send', 'cast']) {
    await sender.do(send, dead, 'hello?')
    ;(stage.self as unknown as Record<string, (to: unknown, message: unknown) => void>)[send]?.(dead, 'hello?')
  }
  assert.is(stage.system.isAlive(dead), false)
  assert.equal(await stage.rest(), [])
})

each('A4 the deadLetter channel of the thread hears of it', async (stage, place) => {
  const letters = (await resultOf(stage, place, 'sendsToTheDead')) as { to: unknown; message: unknown }[]
  assert.equal(
    letters.map(({ message }) => message),
    ['sent', 'cast'],
  )
  for (const { to } of letters) assert.is(to instanceof Pid && stage.system.isAlive(to), false)
})

each('A5 sending to a name that nobody has throws NOPROC at the sender', async (stage, place) => {
  assert.throwsCode(() => stage.self.send('nobody', 1), 'NOPROC', /'nobody'/)
  const sender = await stage.puppet(place)
  const refused = errorOf(await sender.do('try', { move: 'send', args: ['nobody', 1] }))
  assert.is(refused.code, 'NOPROC')
  assert.is(await sender.do('cast', 'nobody', 1), undefined)
})

test('A5 what is neither pid nor name is refused', async ({ self }) => {
  for (const to of [undefined, null, 42, {}, Symbol('x')]) {
    assert.throwsCode(() => self.send(to as never, 1), 'INVALID_TYPE', /no destination/)
  }
})

each('A6 a selective receive leaves the messages it skips in order', async (stage, place) => {
  assert.equal(await resultOf(stage, place, 'selectsOneOfFour'), ['c', 'a', 'b', 'd'])
})

each('A7 a receive with timeout 0 looks at the whole mailbox first', async (stage, place) => {
  assert.equal(await resultOf(stage, place, 'looksOnce'), ['c', 'CALL_TIMEOUT', 'a', 'b'])
})

each('A8 a message to oneself is delivered later, in order', async (stage, place) => {
  assert.equal(await resultOf(stage, place, 'sendsToItself'), ['sent', 1, 2])
})

each('A9 a dying process has given up its name before its last message is read with its DOWN', async (stage, place) => {
  for (let i = 0; i < 20; i++) {
    const dying = await stage.puppet(place, { name: 'short-lived', monitor: true })
    assert.equal(stage.system.whereis('short-lived'), dying.pid)
    dying.tell('exitWith', 'bye')
    await stage.reasonOf(dying.pid)
    assert.is(stage.system.whereis('short-lived'), undefined)
  }
})

const elsewhere = ['scheduler thread', 'isolated'] as const

each(
  'A10 an exit is received whatever its target does, and ends it at its next turn',
  async (stage, place) => {
    const busy = await stage.puppet(place, { monitor: true })
    const flag = new Int32Array(new SharedArrayBuffer(4))
    busy.tell('spin', stage.self.pid, flag)
    assert.is(await stage.hear(), 'spinning')
    stage.self.exit(busy.pid, 'enough')
    stage.self.send(busy.pid, 'too late')
    Atomics.store(flag, 0, 1)
    assert.is(await stage.hear(), 'done spinning')
    assert.is(await stage.reasonOf(busy.pid), 'enough')
    assert.equal(await stage.rest(), [])
  },
  elsewhere,
)

test('several receives of one process are served in the order in which they were called', async ({ self }) => {
  const [first, second] = [self.receive(), self.receive()]
  self.send(self.pid, 1)
  self.send(self.pid, 2)
  assert.equal(await Promise.all([second, first]), [2, 1])
})

test('a receive whose match throws is rejected with that error, and the mailbox stays', async ({ self }) => {
  const broken = () => {
    throw new Error('broken match')
  }
  const waiting = self.receive(broken)
  self.send(self.pid, 'kept')
  for (const receive of [waiting, self.receive(broken)]) {
    await receive.then(
      () => assert.unreachable(),
      (error) => assert.is(error.message, 'broken match'),
    )
  }
  assert.equal(await drain(self), ['kept'])
})

test('messages() gives the messages as they come', async ({ self }) => {
  const seen: unknown[] = []
  for (const i of upTo(3)) self.send(self.pid, i)
  for await (const message of self.messages()) {
    seen.push(message)
    if (seen.length === 2) self.send(self.pid, 'more')
    if (message === 'more') break
  }
  assert.equal(seen, [0, 1, 2, 'more'])
})

test('a server reference is a destination like its pid', async (stage) => {
  const other = await stage.puppet('scheduler thread')
  stage.self.send({ pid: other.pid }, 'by reference')
  assert.is(await stage.heardBy(other), 'by reference')
})

run()
