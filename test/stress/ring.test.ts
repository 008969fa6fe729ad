import { once } from 'node:events'
import { createRing, RingWriter } from '../../src/threads/ring.js'
import { assert, suite } from '../harness.js'
import { readLoad, turn } from '../support/ring-reading.js'

const test = suite('stress: ring', { timeout: 120_000 })

test('10 million messages of mixed sizes between two threads: none lost, torn or out of order', async () => {
  const count = 10_000_000
  await readLoad({ memory: createRing(1 << 18), count, seed: 0 }, async (check, worker) => {
    const exit = once(worker, 'exit')
    while (check.serial < count) {
      for (let looks = 0; looks < 1000 && check.serial < count; looks++) check.read()
      await turn()
    }
    assert.equal(await exit, [0])
    assert.not(check.read())
    assert.is(check.serial, count)
  })
})

test('a writer killed at any moment has published whole records, in order, and nothing of the next', async () => {
  const kills = 200
  let records = 0
  const killOne = async (seed: number): Promise<void> => {
    const memory = createRing(seed % 2 === 0 ? 1024 : 65_536)
    await readLoad({ memory, seed: seed % 3 === 0 ? 0 : seed }, async (check, worker) => {
      const exit = once(worker, 'exit')
      let exited = false
      void exit.then(() => {
        exited = true
      })
      const enough = 1 + ((seed * 7919) % 3000)
      for (let looks = 1; check.serial < enough; looks++) if (!check.read() || looks % 100 === 0) await turn()
      worker.terminate()
      while (!exited) {
        check.read()
        await turn()
      }
      check.read()
      assert.not(check.read())
      assert.ok(new RingWriter(memory).drained)
      records += check.serial
    })
  }
  for (let seed = 1; seed <= kills; seed += 4) await Promise.all([0, 1, 2, 3].map((other) => killOne(seed + other)))
  assert.ok(records > kills)
})

test.run()
