import type { Process } from '../../src/actors/process.js'
import { ActorSystem, type SystemOptions } from '../../src/actors/system.js'
import type { Pid } from '../../src/threads/pid.js'
import { introduce } from '../fixtures/newborns.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, eventually, suite } from '../harness.js'
import { assertNothingLeft } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('stop of a system', { timeout: 30_000 })

const puppets = { module: new URL('../fixtures/puppet.js', import.meta.url), export: puppet.name }
const newborns = { module: new URL('../fixtures/newborns.js', import.meta.url), export: introduce.name }
const one: SystemOptions = { threads: 1 }
const everywhere = ['main', 0, 'system', 'isolated'] as const

/** A puppet that hangs its thread, and has begun to. */
async function hanging(self: Process, thread: 0 | 'isolated'): Promise<void> {
  const pid = await self.spawn(puppets, self.pid, { thread, monitor: true })
  const moves = [
    { move: 'flood', args: [self.pid, 1] },
    { move: 'hang', args: [] },
  ]
  self.send(pid, { told: { move: 'all', args: [moves] } })
  await self.receive()
}

test('stop ends every process on every thread, with shutdown', async () => {
  const system = await ActorSystem.start(one)
  const pids: Pid[] = []
  for (const thread of everywhere) {
    pids.push(await system.spawn(newborns, system.self.pid, { thread, name: `on ${thread}` }))
    await system.self.receive()
  }
  const signals: unknown[] = []
  await system.spawn(async (self) => {
    self.signal.addEventListener('abort', () => signals.push(self.signal.reason))
    await self.receive()
  })
  await system.stop()
  assertNothingLeft(system)
  for (const pid of pids) assert.is(system.isAlive(pid), false)
  assert.is(system.whereis('on main'), undefined)
  assert.equal(signals, ['shutdown'])
})

test('K15 stop rejects what waits with STOPPED, and calls with the end of the process that was called', async () => {
  const system = await ActorSystem.start(one)
  const { self } = system
  const other = await system.spawn(puppets, self.pid, { thread: 0 })
  const waits = [self.receive(), self.receive(undefined, { timeout: 60_000 }), self.messages().next()]
  const rejected = waits.map((wait) => assert.rejects(wait, 'STOPPED', /has been stopped/))
  const answered = self.call(other, { move: 'receive', args: [] }, { timeout: Number.POSITIVE_INFINITY })
  const failed = assert.rejects(answered, 'NOPROC')
  await system.stop()
  await Promise.all(rejected)
  assert.is((await failed).details['reason'], 'shutdown')
})

test('K15 nothing works after stop, and what needs no answer does nothing', async () => {
  const system = await ActorSystem.start(one)
  const { self } = system
  const other = await system.spawn(puppets, self.pid, { thread: 0 })
  await system.stop()
  await assert.rejects(system.spawn(newborns), 'STOPPED')
  await assert.rejects(self.spawn(newborns, undefined, { thread: 'isolated' }), 'STOPPED')
  await assert.rejects(self.receive(), 'STOPPED')
  await assert.rejects(self.messages().next() as Promise<unknown>, 'STOPPED')
  await assert.rejects(self.call(other, 'anybody?'), 'STOPPED')
  await assert.rejects(self.register('somebody'), 'STOPPED')
  assert.throwsCode(() => system.self, 'STOPPED')
  assert.is(await system.info(other), undefined)
  self.send(other, 'nobody')
  self.exit(other, 'kill')
  self.link(other)
  self.monitor(other)
  self.sendAfter(self.pid, 'never', 0)
})

test('a spawn that is under way while the system stops is settled', async () => {
  for (const thread of everywhere) {
    const system = await ActorSystem.start(one)
    const spawning = system.spawn(newborns, system.self.pid, { thread })
    const settled = spawning.then(
      (pid) => ({ pid, code: undefined }),
      (error) => ({ pid: undefined, code: error.code }),
    )
    await system.stop()
    const { pid, code } = await settled
    if (pid === undefined) assert.ok(['STOPPED', 'NOPROC'].includes(code), String(code))
    else assert.is(system.isAlive(pid), false)
    assertNothingLeft(system)
  }
})

test('a process may stop its system, on main and on every other thread', async () => {
  for (const thread of everywhere) {
    const system = await ActorSystem.start(one)
    const pid = await system.spawn(puppets, system.self.pid, { thread })
    system.self.send(pid, { told: { move: 'stopSystem', args: [] } })
    await eventually(() => system.threads().length === 0)
    await system.stop()
    assertNothingLeft(system)
  }
})

test('what does not obey is killed when its time is up: processes that trap exits, threads that hang', async () => {
  const system = await ActorSystem.start({ threads: 2, stuckAfter: Number.POSITIVE_INFINITY })
  const stubborn = await system.spawn(async (self) => {
    self.trapExit = true
    for (;;) await self.receive()
  })
  const elsewhere = await system.spawn(puppets, system.self.pid, { thread: 1 })
  await system.self.call(elsewhere, { move: 'trapExit', args: [true] })
  await hanging(system.self, 0)
  await hanging(system.self, 'isolated')
  await system.stop({ timeout: 50 })
  for (const pid of [stubborn, elsewhere]) assert.is(system.isAlive(pid), false)
  assertNothingLeft(system)
})

test('await using stops the system', async () => {
  let kept: ActorSystem
  {
    await using system = await ActorSystem.start(one)
    kept = system
    await system.spawn(newborns, system.self.pid)
  }
  assertNothingLeft(kept)
})

test('a system that stops leaves another in the same program alone', () =>
  withSystem({ name: 'first', threads: 1 }, (first) =>
    withSystem({ name: 'second', threads: 1 }, async (second) => {
      const here = await first.spawn(puppets, first.self.pid, { name: 'shared name', thread: 0 })
      const there = await second.spawn(puppets, second.self.pid, { name: 'shared name', thread: 0 })
      assert.equal([first.whereis('shared name'), second.whereis('shared name')], [here, there])
      assert.is(await second.info(here), undefined)
      second.self.send(here, 'a stranger')
      second.self.exit(here, 'kill')
      await assert.rejects(second.self.call(here, 'anybody?'), 'NOPROC')
      await second.stop()
      assert.is(first.isAlive(here), true)
      assert.type(await first.self.call(here, { move: 'ref', args: [] }), 'object')
    }),
  ))

test.run()
