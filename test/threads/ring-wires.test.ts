import { once } from 'node:events'
import fc from 'fast-check'
import { Batch, type RingEnd } from '../../src/threads/link.js'
import { RingCarrier } from '../../src/threads/ring-carrier.js'
import type { Signal } from '../../src/threads/signal.js'
import { copyOf, DATED, REPLACES, Wire } from '../../src/threads/wire.js'
import { assert, suite } from '../harness.js'
import { ends, heardOf } from '../support/ring-ends.js'
import { turn } from '../support/ring-reading.js'
import { message } from '../support/routes.js'
import { transcript } from '../support/transcript.js'

const test = suite('compact messages in shared memory', { timeout: 60_000 })

const CHANGED = 2

/** The change of a subject to `value`, as each commit tells it. */
function changed(subject: number, revision: number, previous: unknown, value: unknown): Wire {
  const wire = Object.assign(new Wire(), { op: CHANGED, parts: DATED | REPLACES, slot: 9, generation: 1 })
  return Object.assign(wire, { subject, revision, version: revision, timestamp: 1000, previous, value })
}

const compact = fc.record({ subject: fc.nat(2), value: fc.constantFrom<unknown>(1, 'a', 'y'.repeat(300)) })
const large = fc.record({ subject: fc.nat(2), value: fc.constant<unknown>('y'.repeat(70_000)) })
const other = fc.constantFrom<unknown>('text', new Map([[1, 2]]), new Uint8Array(70_000))

test('they arrive as they were sent, amid all else that one batch holds', async () => {
  const step = fc.oneof({ weight: 4, arbitrary: compact }, { weight: 1, arbitrary: large }, other)
  const check = async (steps: unknown[]) => {
    const given = ends({ size: 1 << 20 })
    const before: unknown[] = [0, 0, 0]
    const sent = steps.map((one, at): Signal => {
      if (typeof one !== 'object' || one === null || !('subject' in one)) return message({ data: one, tagged: false })
      const { subject, value } = one as { subject: number; value: unknown }
      const wire = changed(subject, at, before[subject], value)
      before[subject] = value
      return wire
    })
    const heard = await heardOf(given, (link) =>
      given.batch.run(() => sent.forEach((signal) => void link.send(signal))),
    )
    assert.equal(
      heard.map((one) => transcript(one)),
      sent.map((one) => transcript(one)),
    )
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), check), { numRuns: 100 })
})

test('one that leads to an error costs none of those that came with it', async () => {
  const options = { polling: { spin: 0, linger: 100 }, ringSize: 16_384 }
  const [first, second] = new RingCarrier(options).pair(1, 2, false) as [RingEnd, RingEnd]
  const batch = new Batch(true)
  const nothing = { arrive: (work: () => void) => work(), receive: () => {}, closed: () => {} }
  const sender = new RingCarrier().attach(first, 2, batch, nothing)
  const heard: unknown[] = []
  const errors: unknown[] = []
  new RingCarrier().attach(second, 1, new Batch(false), {
    arrive: (work) => {
      try {
        work()
      } catch (error) {
        errors.push((error as Error).message)
      }
    },
    receive: (signal) => {
      const { value } = copyOf(signal as Wire)
      heard.push(value)
      if (value === 2 || value === 3) throw new Error(`at ${value}`)
    },
    closed: () => {},
  })
  const closed = once(second.port, 'close')
  batch.run(() => {
    for (let value = 1; value <= 5; value++) sender.send(changed(0, value, value - 1, value))
  })
  while (heard.length < 5) await turn()
  sender.close()
  await closed
  assert.equal(heard, [1, 2, 3, 4, 5])
  assert.equal(errors, ['at 2', 'at 3'])
})

test.run()
