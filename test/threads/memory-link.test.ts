import fc from 'fast-check'
import { Batch } from '../../src/threads/link.js'
import { MemoryCarrier } from '../../src/threads/memory-link.js'
import type { Signal } from '../../src/threads/signal.js'
import { assert, suite } from '../harness.js'
import { together } from '../support/link-events.js'

const test = suite('MemoryCarrier')

const signal = (thread: number): Signal => ({ kind: 'dial', thread })

/** A carrier whose deliveries happen when the test says so, and the ends of one link. */
function simulated() {
  const deliveries: (() => void)[] = []
  const carrier = new MemoryCarrier((delivery) => deliveries.push(delivery))
  const [first, second] = carrier.pair()
  const log = (name: string, heard: unknown[]) =>
    together(
      (signals, from) =>
        heard.push(...signals.map((one) => `${name} ${(one as { thread: number }).thread} from ${from}`)),
      { closed: (peer) => heard.push(`${name} closed ${peer}`) },
    )
  const heard: unknown[] = []
  const attach = (end: typeof first, peer: number, name: string) =>
    carrier.attach(end, peer, new Batch(true), log(name, heard))
  return {
    heard,
    a: () => attach(first, 2, 'a'),
    b: () => attach(second, 1, 'b'),
    deliver: (count = Number.POSITIVE_INFINITY) => {
      for (let i = 0; i < count && deliveries.length > 0; i++) deliveries.shift()?.()
    },
  }
}

test('signals arrive one by one, in order, when they are let', () => {
  const { a, b, heard, deliver } = simulated()
  const [linkA, linkB] = [a(), b()]
  assert.is(linkA.peer, 2)
  for (const i of [1, 2, 3]) linkA.send(signal(i))
  linkB.send(signal(4))
  assert.equal(heard, [])
  deliver(2)
  assert.equal(heard, ['b 1 from 1', 'b 2 from 1'])
  deliver()
  assert.equal(heard.slice(2), ['b 3 from 1', 'a 4 from 2'])
})

test('what is delivered before the other end is taken waits for it, in order, the closing too', () => {
  const { a, b, heard, deliver } = simulated()
  const link = a()
  link.send(signal(1))
  link.send(signal(2))
  link.close()
  deliver()
  assert.equal(heard, [])
  b()
  assert.equal(heard, ['b 1 from 1', 'b 2 from 1', 'b closed 1'])
})

test('the other end hears of the closing after the last signal, and once', () => {
  const { a, b, heard, deliver } = simulated()
  const [linkA, linkB] = [a(), b()]
  linkA.send(signal(1))
  linkA.close()
  linkA.close()
  linkA.send(signal(2))
  deliver()
  assert.equal(heard, ['b 1 from 1', 'b closed 1'])
  linkB.send(signal(3))
  linkB.close()
  deliver()
  assert.equal(heard, ['b 1 from 1', 'b closed 1'])
})

test('an end that is closed hears nothing that was on its way', () => {
  const { a, b, heard, deliver } = simulated()
  const [linkA, linkB] = [a(), b()]
  linkB.send(signal(1))
  linkA.close()
  deliver()
  assert.equal(heard, ['b closed 1'])
})

test('a signal is cloned when it is sent, as a port would', () => {
  const carrier = new MemoryCarrier((delivery) => delivery())
  const [first, second] = carrier.pair()
  const got: Signal[] = []
  const events = together((signals) => got.push(...signals), { closed: () => {} })
  carrier.attach(second, 1, new Batch(false), events)
  const link = carrier.attach(first, 2, new Batch(false), events)
  const data = { list: [1] }
  const message: Signal = { kind: 'message', to: [0, 0, 0], body: { data, tagged: false }, cast: false }
  link.send(message)
  data.list.push(2)
  assert.equal((got[0] as { body: { data: unknown } }).body.data, { list: [1] })
  const buffer = new ArrayBuffer(4)
  link.send({ ...message, body: { data: buffer, tagged: false } }, [buffer])
  assert.is(buffer.byteLength, 0)
  assert.throwsCode(() => link.send({ ...message, body: { data: () => {}, tagged: false } }), 'NOT_CLONEABLE')
})

test('links of one carrier do not hear each other', () => {
  const carrier = new MemoryCarrier((delivery) => delivery())
  const heard: string[] = []
  const events = (name: string) => together(() => heard.push(name), { closed: () => heard.push(`${name} closed`) })
  const links = [1, 2].map((n) => {
    const [end, other] = carrier.pair()
    carrier.attach(other, n, new Batch(false), events(`other ${n}`))
    return carrier.attach(end, n, new Batch(false), events(`end ${n}`))
  })
  links[0]?.send(signal(0))
  links[1]?.close()
  assert.equal(heard, ['other 1', 'other 2 closed'])
})

test('whatever is sent, delivered and closed when, each end hears a prefix of what the other sent, in order', () => {
  const step = fc.constantFrom('a sends', 'b sends', 'deliver', 'a closes', 'b closes', 'a attaches', 'b attaches')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { a, b, heard, deliver } = simulated()
      const links = {
        a: undefined as ReturnType<typeof a> | undefined,
        b: undefined as ReturnType<typeof a> | undefined,
      }
      const sent = { a: 0, b: 0 }
      for (const [i, name] of steps.entries()) {
        const side = name[0] as 'a' | 'b'
        if (name === 'deliver') deliver(1 + (i % 3))
        else if (name.endsWith('attaches')) links[side] ??= side === 'a' ? a() : b()
        else if (name.endsWith('closes')) links[side]?.close()
        else links[side]?.send(signal(sent[side]++))
      }
      deliver()
      for (const [side, peer] of [
        ['a', 2],
        ['b', 1],
      ] as const) {
        const its = heard.filter((line) => String(line).startsWith(side))
        const closed = its.indexOf(`${side} closed ${peer}`)
        const signals = closed === -1 ? its : its.slice(0, -1)
        assert.equal(
          signals,
          signals.map((_, n) => `${side} ${n} from ${peer}`),
        )
        assert.ok(closed === -1 || closed === its.length - 1)
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
