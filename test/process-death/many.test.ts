import { assert, eventually, suite } from '../harness.js'
import { withSystem } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const isDown = (message: unknown) => (message as { type?: string }).type === 'DOWN'
const megabytes = () => process.memoryUsage().rss / 2 ** 20

const test = suite('many processes', { timeout: 90_000 })

test('10,000 processes spawn, answer a message and end; their memory comes back', () =>
  withSystem({ threads: 2 }, async (system) => {
    const { self } = system
    const count = 10_000
    const before = system.processes().length
    const rss = megabytes()
    const pids = await Promise.all(
      Array.from({ length: count }, () => system.spawn({ module, export: 'mayfly' }, self.pid, { monitor: true })),
    )
    assert.is(system.processes().length, before + count)
    for (const [i, pid] of pids.entries()) self.send(pid, i)
    const answers = new Set<unknown>()
    for (let i = 0; i < count; i++) {
      answers.add((await self.receive<{ word: number }>((message) => !isDown(message))).word)
    }
    assert.is(answers.size, count)
    for (let i = 0; i < count; i++) assert.is((await self.receive<{ reason: unknown }>(isDown)).reason, 'normal')
    assert.is(system.processes().length, before)
    await eventually(() => {
      globalThis.gc?.()
      assert.is(megabytes() - rss < 100, true, `${(megabytes() - rss).toFixed(0)} MB are still taken`)
    })
    console.log(`10,000 processes left ${(megabytes() - rss).toFixed(0)} MB`)
  }))

test('5,000 crashes leave nothing: no process, link, monitor or name', () =>
  withSystem({ threads: 2 }, async (system) => {
    const { self } = system
    self.trapExit = true
    const before = system.processes().length
    for (let round = 0; round < 10; round++) {
      const entry = { module, export: 'stillborn' }
      const options = { link: true, monitor: true }
      const crash = (i: number) =>
        system.spawn(entry, undefined, { ...options, ...(i % 10 === 0 && { name: `crash-${i}` }) })
      await Promise.all(Array.from({ length: 500 }, (_, i) => crash(i)))
      for (let i = 0; i < 1000; i++) await self.receive()
    }
    assert.is(system.processes().length, before)
    const info = await system.info(self.pid)
    assert.equal([info?.links.length, info?.monitors.length, info?.messageQueueLength], [0, 0, 0])
    assert.is(system.whereis('crash-0'), undefined)
  }))

test.run()
