import { assert, suite } from '../harness.js'
import { downs, residents } from '../support/residents.js'
import { withSystem } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const test = suite('the death of a thread with many processes', { timeout: 60_000 })

const deaths: [how: string, message: RegExp][] = [
  ['process.exit', /process\.exit\(7\)/],
  ['throw in a timer', /nobody is here/],
  ['let a promise float', /nobody waits/],
]

for (const [how, message] of deaths) {
  test(`K11 ${how}: each of 1,000 exits with the reason, after its last words; linked ones elsewhere hear of it`, () =>
    withSystem({ threads: 2 }, async (system) => {
      const { self } = system
      self.trapExit = true
      const pids = await residents(system, self, 1000)
      for (const pid of pids.slice(0, 10)) self.link(pid)
      const args = { to: self.pid, how }
      const killer = await system.spawn({ module, export: 'dying' }, args, { thread: 0, monitor: true })
      const calls = pids
        .slice(0, 10)
        .map((pid) => self.call(pid, 'never answered', { timeout: Number.POSITIVE_INFINITY }))
      const settled = Promise.all(calls.map((call) => assert.rejects(call, 'NOPROC', message)))
      for (const pid of pids) self.send(pid, 'last words')
      self.send(killer, 'go')
      const links = new Set<string>()
      for (let i = 0; i < 10; i++) {
        const { pid } = await self.receive<{ pid: unknown }>((one) => (one as { type?: string }).type === 'EXIT')
        links.add(String(pid))
      }
      assert.equal(links, new Set(pids.slice(0, 10).map(String)))
      const reasons = await downs(system, self, 1001)
      for (const reason of reasons.values()) assert.match(JSON.stringify(reason), message)
      await settled
      const [fresh] = await residents(system, self, 1)
      assert.ok(fresh !== undefined && system.isAlive(fresh), 'a fresh thread is in its place')
      const info = await system.info(self.pid)
      assert.equal([info?.links.length, info?.monitors.length, info?.messageQueueLength], [0, 1, 0])
    }))
}

test.run()
