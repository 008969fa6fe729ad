import type { Process } from '../../src/actors/process.js'
import type { ActorSystem } from '../../src/actors/system.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'
import { withSystem } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
interface Word {
  readonly type?: string
  readonly from?: Pid
  readonly pid?: Pid
  readonly word?: unknown
  readonly reason?: unknown
}

const test = suite('a shared thread that is stuck', { timeout: 60_000 })

/** Residents of scheduler thread 0, each of which has answered once. */
async function residents(system: ActorSystem, self: Process, count: number): Promise<Pid[]> {
  const options = { thread: 0, monitor: true }
  const pids = await Promise.all(
    Array.from({ length: count }, () => system.spawn({ module, export: 'resident' }, self.pid, options)),
  )
  for (const pid of pids) self.send(pid, 'hello')
  for (let i = 0; i < count; i++) await self.receive((message) => (message as Word).word === 'hello')
  return pids
}

test('K1, K11 the watchdog ends it; each of 1,000 residents exits with a reason, after its last words', () =>
  withSystem({ threads: 2, stuckAfter: 400 }, async (system) => {
    const { self } = system
    const pids = await residents(system, self, 1000)
    for (const pid of pids) self.send(pid, 'last words')
    const spinner = await system.spawn(
      { module, export: 'spinner' },
      { to: self.pid, words: 1 },
      { thread: 0, monitor: true },
    )
    const dead = new Set<string>()
    while (dead.size < 1001) {
      const message = await self.receive<Word>()
      if (message.type !== 'DOWN') {
        assert.is(dead.has(String(message.from)), false, 'last words came after the DOWN')
        continue
      }
      dead.add(String(message.pid))
      assert.equal(message.reason, { hostKilled: spinner })
      assert.is(system.isAlive(message.pid as Pid), false)
    }
    const [fresh] = await residents(system, self, 1)
    assert.is(system.isAlive(fresh as Pid), true, 'a fresh thread is in its place')
  }))

test('K1 a process told to die on it dies of it, the others of their host', () =>
  withSystem({ threads: 2, stuckAfter: Number.POSITIVE_INFINITY, killGrace: 200 }, async (system) => {
    const { self } = system
    const [other] = await residents(system, self, 1)
    const spinner = await system.spawn(
      { module, export: 'spinner' },
      { to: self.pid, words: 1 },
      { thread: 0, monitor: true },
    )
    await self.receive((message) => (message as Word).word === 0)
    self.exit(spinner, 'kill')
    const reasons = new Map<string, unknown>()
    for (let i = 0; i < 2; i++) {
      const { pid, reason } = await self.receive<Word>((message) => (message as Word).type === 'DOWN')
      reasons.set(String(pid), reason)
    }
    assert.is(reasons.get(String(spinner)), 'killed')
    assert.equal(reasons.get(String(other)), { hostKilled: spinner })
  }))

test('a stuck user process takes no context with it', () =>
  withSystem({ threads: 1, stuckAfter: 400 }, async (system) => {
    const { Context } = await import('../../src/variables/context.js')
    const context = await Context.start(system)
    await context.define('v', 'integer', 1)
    await system.spawn({ module, export: 'spinner' }, { to: system.self.pid, words: 1 }, { thread: 0, monitor: true })
    await context.set('v', 2)
    await system.self.receive((message) => (message as Word).type === 'DOWN')
    await context.set('v', 3)
    assert.is(await context.get('v'), 3)
  }))

test.run()
