import type { Pid } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'
import { downs, residents, type Word } from '../support/residents.js'
import { onStage, type Puppet } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const test = suite('a shared thread that is stuck', { timeout: 60_000 })

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
    for (const reason of (await downs(system, self, 1001)).values()) assert.equal(reason, { hostKilled: spinner })
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

test('K1 every process that was told to die on it dies of that, the others of their host', () =>
  withSystem({ threads: 1, stuckAfter: Number.POSITIVE_INFINITY, killGrace: 200 }, (system) =>
    onStage(system, async (stage) => {
      const [hangs, second, other] = await Promise.all([0, 1, 2].map(() => stage.puppet('scheduler thread')))
      for (const one of [hangs, second, other]) stage.self.monitor((one as Puppet).pid)
      hangs?.tell('spin', stage.self.pid, new Int32Array(new SharedArrayBuffer(4)))
      assert.is(await stage.hear(), 'spinning')
      for (const one of [hangs, second]) stage.self.exit((one as Puppet).pid, 'kill')
      for (const one of [hangs, second]) assert.is(await stage.reasonOf((one as Puppet).pid), 'killed')
      assert.equal(await stage.reasonOf((other as Puppet).pid), { hostKilled: (hangs as Puppet).pid })
    }),
  ))

test('K1 the process that ran last is found, also when another has waited since', () =>
  withSystem({ threads: 1, stuckAfter: 400 }, (system) =>
    onStage(system, async (stage) => {
      const hangs = await stage.puppet('scheduler thread', { monitor: true })
      await hangs.do('ref')
      const waits = await stage.puppet('scheduler thread', { monitor: true })
      await waits.do('ref')
      hangs.tell('hang')
      for (const { pid } of [hangs, waits]) assert.equal(await stage.reasonOf(pid), { hostKilled: hangs.pid })
    }),
  ))

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
