import { setImmediate } from 'node:timers/promises'
import type { ActorSystem, Pid } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { collect, hear, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('a thread that dozes')
const system = systemFor(test, { threads: 1 })

const withDozer = (body: (system: ActorSystem, dozer: Pid) => Promise<void>) => async () => {
  const { self } = system()
  const module = new URL('../fixtures/dozer.js', import.meta.url)
  const dozer = await self.spawn({ module, export: 'dozer' }, { to: self.pid }, { thread: 'isolated' })
  await body(system(), dozer)
  self.exit(dozer, 'kill')
}

test(
  'takes each message that comes, and is heard',
  withDozer(async ({ self }, dozer) => {
    for (const i of range(1, 2000)) {
      self.send(dozer, i)
      // Now it sleeps, now it is about to.
      if (i % 3 === 0) await setImmediate()
      if (i % 100 === 0) for (const _ of range(1, 1000)) await setImmediate()
      assert.is(await hear(self), i)
    }
  }),
)

test(
  'takes and sends many at once, in their order',
  withDozer(async ({ self }, dozer) => {
    for (const count of [1, 2, 10, 1000, 50_000]) {
      const messages = range(1, count)
      for (const message of messages) self.send(dozer, message)
      assert.equal(await collect(self, count), messages)
    }
  }),
)

test(
  'answers what is asked, however large',
  withDozer(async ({ self }, dozer) => {
    for (const i of range(1, 500)) assert.is(await self.call(dozer, i), i)
    const large = 'x'.repeat(300_000)
    assert.is(await self.call(dozer, large), large)
    assert.equal(await Promise.all(range(1, 500).map((i) => self.call(dozer, i))), range(1, 500))
  }),
)

test(
  'takes and sends what does not fit into a ring among what does',
  withDozer(async ({ self }, dozer) => {
    const sizes = [1, 10, 1000, 30_000, 70_000, 200_000]
    for (const round of range(1, 60)) {
      const messages = range(1, 40).map((i) => `${i}`.repeat(sizes[(i * round) % sizes.length] as number))
      for (const message of messages) self.send(dozer, message)
      for (const message of messages) assert.ok((await hear(self)) === message)
      assert.is(await self.call(dozer, round), round)
    }
  }),
)

test.run()
