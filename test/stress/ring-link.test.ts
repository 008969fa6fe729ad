import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Batch, type RingEnd } from '../../src/threads/link.js'
import { RingCarrier } from '../../src/threads/ring-carrier.js'
import type { RingSenderData } from '../fixtures/ring-sender.js'
import { assert, suite } from '../harness.js'
import { turn } from '../support/ring-reading.js'
import { serialOf } from '../support/routes.js'

const test = suite('stress: links in shared memory', { timeout: 120_000 })

async function killSender(seed: number): Promise<void> {
  const options = {
    polling: { spin: seed % 2 === 0 ? 0 : 20, linger: 500 },
    ringSize: seed % 3 === 0 ? 16_384 : 262_144,
  }
  const [here, there] = new RingCarrier(options).pair(1, 2, false) as [RingEnd, RingEnd]
  let heard = 0
  let wrong: string | undefined
  let closed = false
  new RingCarrier().attach(here, 2, new Batch(false), {
    arrive: (work) => work(),
    receive(signal) {
      const serial = serialOf(signal)
      if (serial !== heard++) wrong ??= `signal ${serial} came as number ${heard - 1}`
    },
    closed: () => {
      closed = true
    },
  })
  const workerData: RingSenderData = { end: there, seed }
  const worker = new Worker(new URL('../fixtures/ring-sender.js', import.meta.url), {
    workerData,
    transferList: [there.port],
  })
  const exit = once(worker, 'exit')
  const enough = 1 + ((seed * 7919) % 2000)
  while (heard < enough) await turn()
  await worker.terminate()
  await exit
  while (!closed) await turn()
  assert.is(wrong, undefined)
}

test('what a killed sender had sent is heard up to some signal, by whatever way each went', async () => {
  for (let seed = 1; seed <= 100; seed += 2) await Promise.all([killSender(seed), killSender(seed + 1)])
})

test.run()
