import type { ErrorReason } from '../../src/actors/exit-reason.js'
import { BeamlineError } from '../../src/errors.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk } from '../fixtures/desk.js'
import { leavesAChild, stillborn } from '../fixtures/newborns.js'
import { errorOf } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const { test, each, run } = stages('K where Node forces another promise', { killGrace: 300 })

each(
  'K1 kill ends a process that shares its thread at its next turn, and nobody else there',
  async (stage, place) => {
    const [victim, neighbour] = [await stage.puppet(place, { monitor: true }), await stage.puppet(place)]
    stage.self.exit(victim.pid, 'kill')
    assert.is(await stage.reasonOf(victim.pid), 'killed')
    assert.is(typeof (await neighbour.do('ref')), 'object')
  },
  ['same thread', 'scheduler thread'],
)

test('K1 kill of a process that holds up its thread ends the thread, and all others there say whose fault it was', async (stage) => {
  const neighbour = await stage.puppet('scheduler thread', { monitor: true })
  const stuck = await stage.puppet('scheduler thread', { monitor: true })
  stuck.tell('all', [
    { move: 'send', args: [stage.self.pid, 'spinning'] },
    { move: 'hang', args: [] },
  ])
  assert.is(await stage.hear(), 'spinning')
  stage.self.exit(stuck.pid, 'kill')
  assert.is(await stage.reasonOf(stuck.pid), 'killed')
  assert.equal(await stage.reasonOf(neighbour.pid), { hostKilled: stuck.pid })
})

each(
  'K2 what a dead process still does goes nowhere',
  async (stage, place) => {
    const fence = await stage.puppet(place)
    const ghost = await stage.puppet(place, { monitor: true })
    for (const message of ['queued 1', 'queued 2']) await fence.do('send', ghost.pid, message)
    await stage.heardBy(ghost)
    await stage.heardBy(ghost)
    ghost.tell('haunt', stage.self.pid, fence.pid)
    assert.is(await stage.hear(), 'last words')
    assert.is(await stage.reasonOf(ghost.pid), 'gone')
    assert.is(await stage.hear(), 'the ghost has run on')
    assert.equal(await stage.rest(), [])
    assert.is(stage.system.whereis('ghost'), undefined)
  },
  ['same thread', 'scheduler thread'],
)

test('K2 a process that was ended takes nothing more from its mailbox', async (stage) => {
  const taken: unknown[] = []
  let ranOn = () => {}
  const over = new Promise<void>((resolve) => {
    ranOn = resolve
  })
  const pid = await stage.self.spawn(async (self) => {
    taken.push(await self.receive())
    self.exit(self.pid, 'enough')
    void self.receive().then((message) => taken.push(message))
    void self.receive(undefined, { timeout: 0 }).then(
      (message) => taken.push(message),
      (error) => taken.push(error),
    )
    setImmediate(ranOn)
  })
  for (const message of ['first', 'second', 'third']) stage.self.send(pid, message)
  await over
  assert.equal(taken, ['first'])
})

each('K3 a method that awaits is one message: the next is taken when it has settled', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const first = desk.addAsked('first')
  const second = desk.add('second')
  await stage.self.send(desk.pid, 'in between')
  stage.self.reply(await stage.called(), 'yes')
  assert.equal(await Promise.all([first, second]), [1, 2])
  const isInfo = (message: unknown): message is { detail: unknown } => (message as { event?: string }).event === 'info'
  assert.is((await stage.self.receive(isInfo)).detail, 'in between')
})

each(
  'K9 an error has name, message, code, cause and stack wherever it arrives, whatever way it takes',
  async (stage, place) => {
    const other = await stage.puppet(place, { monitor: true })
    const cause = new RangeError('at the bottom')
    const sent = Object.assign(new TypeError('on top', { cause }), { code: 'E_TOP' })
    stage.self.send(other.pid, sent)
    const seen = (await stage.heardBy(other)) as typeof sent
    assert.ok(seen instanceof TypeError)
    assert.equal([seen.message, seen.code, (seen.cause as Error).message], ['on top', 'E_TOP', 'at the bottom'])
    assert.match(String(seen.stack), /k-node/)
    const refused = errorOf(await other.do('try', { move: 'send', args: ['nobody', 1] }))
    assert.ok(refused instanceof BeamlineError)
    assert.is(refused.code, 'NOPROC')
    other.tell('raise', 'TypeError', 'on top', { code: 'E_TOP' })
    const { error } = (await stage.reasonOf(other.pid)) as ErrorReason
    assert.equal([error.name, error.message, error.code], ['TypeError', 'on top', 'E_TOP'])
  },
)

test('K10 the order holds from every thread to every thread, from the first message on', async (stage) => {
  const crowd = async () =>
    Promise.all([
      stage.puppet('same thread'),
      stage.puppet('scheduler thread', { thread: 0 }),
      stage.puppet('scheduler thread', { thread: 1 }),
      stage.puppet('isolated'),
      stage.puppet('isolated'),
    ])
  const [senders, receivers] = [await crowd(), await crowd()]
  for (const sender of senders) {
    for (const receiver of receivers) sender.tell('flood', receiver.pid, 50)
  }
  for (const receiver of receivers) {
    const perNumber = new Map<unknown, number>()
    for (let i = 0; i < 50 * senders.length; i++) {
      const number = Number(await stage.heardBy(receiver))
      const before = perNumber.get(number - 1) ?? senders.length
      const count = (perNumber.get(number) ?? 0) + 1
      assert.ok(count <= before, `${number} came ${count} times, ${number - 1} only ${before}`)
      perNumber.set(number, count)
    }
    assert.equal([...perNumber.values()], Array(50).fill(senders.length))
  }
})

each(
  'K10 the order holds whatever way each message takes, and through what finds no room while the receiver is busy',
  async (stage, place) => {
    const [busy, count] = [await stage.puppet(place), 300]
    const flag = new Int32Array(new SharedArrayBuffer(4))
    busy.tell('spin', stage.self.pid, flag)
    assert.is(await stage.hear(), 'spinning')
    const before = stage.system.stats().spilled
    const ways: readonly ((number: number) => unknown)[] = [
      (number) => number,
      (number) => [number, 'x'.repeat(12_000)],
      (number) => [number, new Map([[number, 'x'.repeat(12_000)]])],
      (number) => [number, 'x'.repeat(100_000)],
      (number) => [number, new ArrayBuffer(8)],
    ]
    for (let number = 0; number < count; number++) {
      const message = ways[number % ways.length]?.(number)
      const buffer = Array.isArray(message) && message[1] instanceof ArrayBuffer ? [message[1]] : []
      stage.self.send(busy.pid, message, { transfer: buffer })
    }
    const spilled = stage.system.stats().spilled - before
    assert.is(spilled > 0, process.env['BEAMLINE_TRANSPORT'] !== 'port')
    Atomics.store(flag, 0, 1)
    assert.is(await stage.hear(), 'done spinning')
    for (let number = 0; number < count; number++) {
      const heard = await stage.heardBy(busy)
      assert.is(Array.isArray(heard) ? heard[0] : heard, number)
    }
  },
  ['scheduler thread', 'isolated'],
)

test('K11 the end of a thread is one exit of each process on it, after that process has had its last word', () =>
  withSystem({ threads: 1 }, async (system) => {
    const { self } = system
    const module = new URL('../fixtures/dying.js', import.meta.url)
    const pids: Pid[] = []
    for (let i = 0; i < 20; i++) {
      pids.push(await self.spawn({ module, export: 'resident' }, self.pid, { thread: 0, monitor: true }))
    }
    for (const pid of pids) self.send(pid, 'last words')
    const dying = { to: self.pid, how: 'process.exit' }
    const culprit = await self.spawn({ module, export: 'dying' }, dying, { thread: 0, monitor: true })
    self.send(culprit, 'go')
    const spoken = new Set<string>()
    const dead: string[] = []
    while (dead.length < 21) {
      const { type, from, pid } = await self.receive<{ type?: string; from?: Pid; pid?: Pid }>()
      if (type === 'DOWN') dead.push(String(pid))
      else if (from !== undefined) assert.is(dead.includes(String(spoken.add(String(from)) && from)), false)
    }
    assert.equal(dead.sort(), [...pids, culprit].map(String).sort())
    assert.ok(pids.every((pid) => spoken.has(String(pid))))
  }))

test('K12 an isolated process is begun by a promise, and links and monitors hold before its code runs', async (stage) => {
  stage.self.trapExit = true
  const options = { link: true, monitor: true }
  const begun = stage.spawn('isolated', stillborn, 'at once', options, 'newborns')
  assert.ok(begun instanceof Promise)
  const pid = await begun
  const deaths = [
    await stage.hear<{ type: string; reason: unknown }>(),
    await stage.hear<{ type: string; reason: unknown }>(),
  ]
  assert.equal(deaths.map(({ type, reason }) => [type, reason]).sort(), [
    ['DOWN', 'at once'],
    ['EXIT', 'at once'],
  ])
  assert.is(stage.system.isAlive(pid), false)
})

test('K13 an uncaught error outside the code of any process ends its thread with that error', () =>
  withSystem({ threads: 1 }, async (system) => {
    const { self } = system
    const module = new URL('../fixtures/dying.js', import.meta.url)
    for (const thread of [0, 'isolated'] as const) {
      const args = { to: self.pid, how: 'throw in a timer' }
      const pid = await self.spawn({ module, export: 'dying' }, args, { thread, monitor: true })
      self.send(pid, 'go')
      const isDown = (message: unknown): message is { reason: ErrorReason } =>
        (message as { type?: string }).type === 'DOWN'
      assert.is((await self.receive(isDown)).reason.error.message, 'nobody is here')
    }
  }))

test('K14 when the process of an isolated thread ends, what it has started there ends too', async (stage) => {
  const pid = await stage.spawn('isolated', leavesAChild, stage.self.pid, { monitor: true }, 'newborns')
  const children = await stage.hear<Pid[]>()
  for (const child of children) stage.self.monitor(child)
  assert.ok(children.every(({ thread }) => thread === pid.thread))
  stage.self.send(pid, 'end')
  assert.is(await stage.reasonOf(pid), 'normal')
  const reasons = [await stage.reasonOf(children[0] as Pid), await stage.reasonOf(children[1] as Pid)]
  assert.equal(reasons, ['shutdown', 'killed'])
  await eventually(() => stage.system.threads().every(({ id }) => id !== pid.thread))
})

test('K15 what a dead process awaits never settles', async (stage) => {
  const settled: string[] = []
  const waiting = await stage.self.spawn(
    async (self) => {
      void self.receive().finally(() => settled.push('receive'))
      void self.call(stage.self.pid, 'answer me').catch(() => settled.push('call'))
      await self.receive((message) => message === 'never')
    },
    undefined,
    { monitor: true },
  )
  await stage.called()
  stage.self.exit(waiting, 'kill')
  assert.is(await stage.reasonOf(waiting), 'killed')
  await (await stage.puppet('scheduler thread')).do('ref')
  assert.equal(settled, [])
})

test('K15 what the shell awaits is rejected when it dies, and the shell goes on', () =>
  withSystem({ threads: 1 }, async (system) => {
    const shell = system.self
    const before = shell.pid
    const rejected = assert.rejects(shell.receive(), 'NOPROC')
    await system.spawn((self) => self.exit(before, 'kill'))
    await rejected
    assert.is(before.equals(system.self.pid), false)
    assert.is(system.isAlive(system.self.pid), true)
  }))

run()
