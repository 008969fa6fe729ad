import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createRing, largestPayload, RingReader } from '../../src/threads/ring.js'
import type { RingWriterData } from '../fixtures/ring-writer.js'
import { assert, suite } from '../harness.js'
import { LoadCheck } from '../support/ring-load.js'

const test = suite('stress: ring', { timeout: 120_000 })

test('10 million messages of mixed sizes between two threads: none lost, torn or out of order', async () => {
  const count = 10_000_000
  const size = 1 << 18
  const memory = createRing(size)
  const check = new LoadCheck(new RingReader(memory), memory, largestPayload(size))
  const workerData: RingWriterData = { memory, count, seed: 0 }
  const worker = new Worker(new URL('../fixtures/ring-writer.js', import.meta.url), { workerData })
  const exit = once(worker, 'exit')
  while (check.serial < count) {
    // With less than two cores to itself the writer needs this one.
    for (let looks = 0; looks < 1000 && check.serial < count; looks++) check.read()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await exit, [0])
  assert.not(check.read())
  assert.is(check.serial, count)
})

test.run()
