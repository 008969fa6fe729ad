import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { Batch, type RingEnd } from '../../src/threads/link.js'
import { pack } from '../../src/threads/payload.js'
import { RingWriter } from '../../src/threads/ring.js'
import { RingCarrier } from '../../src/threads/ring-carrier.js'
import type { RingLink } from '../../src/threads/ring-link.js'
import type { Signal } from '../../src/threads/signal.js'
import { ELSEWHERE } from '../../src/threads/signal-codec.js'
import { MAX_DEPTH } from '../../src/threads/tree-copier.js'
import { ASKED, DATED, REPLACES, Wire } from '../../src/threads/wire.js'
import { assert, suite } from '../harness.js'
import { ends, heardOf } from '../support/ring-ends.js'
import { turn } from '../support/ring-reading.js'
import { dataOf, message, nested, ROUTES, sendBy, serialOf } from '../support/routes.js'
import { transcript } from '../support/transcript.js'
import { anyValue, plainValue, tangle } from '../support/values.js'

const test = suite('links in shared memory', { timeout: 60_000 })

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

const payload = { data: { a: [1, 'two'] }, tagged: false }
const everyKind: Signal[] = [
  message(payload),
  { kind: 'message', to: [2, 1, 2 ** 31 - 1], body: payload, cast: true, alias: 2 ** 40 },
  { kind: 'call', to: [2, 1, 2], from: [1, 3, 4], ref: [1, 2 ** 45], body: payload },
  { kind: 'system', to: [2, 1, 2], from: [9, 3, 4], ref: [9, 5], body: { data: undefined, tagged: true } },
  { kind: 'forget', to: [2, 1, 2], ref: [1, 5] },
  { kind: 'exit', to: [2, 1, 2], from: [1, 3, 4], reason: { data: 'normal', tagged: false }, linked: true },
  { kind: 'link', to: [2, 1, 2], from: [1, 3, 4] },
  { kind: 'unlink', to: [2, 1, 2], from: [1, 3, 4], ref: [1, 7] },
  { kind: 'monitor', to: [2, 1, 2], from: [1, 3, 4], ref: [1, 8] },
  { kind: 'down', to: [2, 1, 2], from: [1, 3, 4], ref: [1, 8], reason: payload },
  { kind: 'reply', ref: [2, 9], outcome: 'value', body: payload },
  { kind: 'reply', ref: [2, 9], outcome: 'error', body: { data: new Map([[1, 2]]), tagged: true } },
  { kind: 'reply', ref: [2, 9], outcome: 'exit', body: { data: null, tagged: false } },
  { kind: 'ready', pid: undefined },
  { kind: 'preload', modules: ['file:///a.js', 'file:///b.js'] },
  { kind: 'dial', thread: 7 },
  { kind: 'thread-down', thread: 3, living: new Map([[1, 2]]), pids: [[3, 1, 2]], reason: payload, others: payload },
  { kind: 'stop', timeout: Number.POSITIVE_INFINITY },
]

test('every kind of signal arrives as it was sent', async () => {
  const heard = await heardOf(ends(), (link) => everyKind.forEach((signal) => void link.send(signal)))
  assert.equal(
    heard.map((one) => transcript(one)),
    everyKind.map((one) => transcript(one)),
  )
})

test('a wire arrives with the parts that it says it has, whatever its values', async () => {
  const values = [
    1.5,
    'text',
    true,
    null,
    undefined,
    -0,
    10n ** 30n,
    'x'.repeat(5000),
    '\u1234'.repeat(5000),
    'x'.repeat(100_000),
  ]
  const sent: Wire[] = []
  for (const parts of upTo(8)) {
    for (const value of values) {
      const wire = Object.assign(new Wire(), { slot: 3, generation: 4, op: 255, parts, subject: 2 ** 31 - 1, value })
      if (parts & ASKED) Object.assign(wire, { serial: 2 ** 50, askerSlot: 1, askerGeneration: 2 })
      if (parts & DATED) Object.assign(wire, { revision: 2 ** 51, version: 3, timestamp: 2 ** 41 + 1 })
      if (parts & REPLACES) wire.previous = value
      sent.push(wire)
    }
  }
  const heard = (await heardOf(ends(), (link) => sent.forEach((wire) => void link.send(wire)))) as Wire[]
  assert.is(heard.length, sent.length)
  heard.forEach((wire, index) => {
    const { parts, value, subject, op, ...rest } = sent[index] as Wire
    assert.equal([wire.parts, wire.subject, wire.op], [parts, subject, op])
    assert.ok(Object.is(wire.value, value), `value ${index}`)
    if (parts & ASKED) assert.equal([wire.serial, wire.askerSlot, wire.askerGeneration], [2 ** 50, 1, 2])
    if (parts & DATED) assert.equal([wire.revision, wire.version, wire.timestamp], [2 ** 51, 3, 2 ** 41 + 1])
    if (parts & REPLACES) assert.ok(Object.is(wire.previous, rest.previous))
  })
})

test('whatever a message carries arrives as a port would deliver it', async () => {
  const value = fc.oneof(anyValue, plainValue, tangle)
  const check = async (values: unknown[]) => {
    const packed = values.map((given) => pack(given))
    const heard = await heardOf(ends(), (link) => {
      for (const { data, tagged } of packed) link.send(message(data, tagged))
    })
    const expected = packed.map(({ data, tagged }) => transcript(message(structuredClone(data), tagged)))
    assert.equal(
      heard.map((one) => transcript(one)),
      expected,
    )
  }
  await fc.assert(fc.asyncProperty(fc.array(value, { maxLength: 20 }), check), { numRuns: 100 })
})

const plan = fc.array(
  fc.record({
    route: fc.nat(ROUTES - 1),
    times: fc.integer({ min: 1, max: 30 }),
    batched: fc.boolean(),
    turns: fc.nat(3),
  }),
  { maxLength: 20 },
)

for (const spin of [0, 20]) {
  for (const size of [16_384, 65_536]) {
    test(`all arrive once and in order whichever way they go, through ${size} bytes, with ${spin} µs of looking`, async () => {
      const check = async (steps: typeof plan extends fc.Arbitrary<infer P> ? P : never) => {
        const given = ends({ size, spin })
        let serial = 0
        for (const { route, times, batched, turns } of steps) {
          const work = () => {
            for (let sent = 0; sent < times; sent++) sendBy(route, serial++, given.a)
          }
          if (batched) given.batch.run(work)
          else work()
          for (let left = turns; left > 0; left--) await turn()
        }
        const heard = await heardOf(given, () => {})
        assert.equal(heard.map(serialOf), upTo(serial))
      }
      await fc.assert(fc.asyncProperty(plan, check), { numRuns: 40 })
    })
  }
}

test('a ring that nobody reads is no limit: the rest waits on the port, in order', async () => {
  const given = ends()
  const heard = await heardOf(given, (link) => {
    for (const serial of upTo(5000)) link.send(message(serial))
  })
  assert.equal(heard.map(dataOf), upTo(5000))
  assert.ok(given.spilled() > 4000, `${given.spilled()} went another way`)
})

test('once the reader has caught up, the ring is used again', async () => {
  const given = ends()
  for (const round of upTo(5)) {
    const before = given.spilled()
    for (const serial of upTo(1000)) given.a.send(message(serial))
    const after = given.spilled()
    assert.ok(after > before)
    while (given.heard.length < 1000 + 1010 * round) await turn()
    for (const serial of upTo(10)) given.a.send(message(serial))
    assert.is(given.spilled(), after)
    while (given.heard.length < 1010 + 1010 * round) await turn()
  }
  await heardOf(given, () => {})
})

test('what no message can carry is refused as NOT_CLONEABLE, and what is sent after it arrives', async () => {
  const buffer = new ArrayBuffer(1)
  structuredClone(buffer, { transfer: [buffer] })
  const heard = await heardOf(ends(), (link) => {
    for (const data of [new Proxy({}, {}), [new Proxy([], {})], buffer, () => {}, Symbol('s'), Promise.resolve()]) {
      assert.throwsCode(() => link.send(message(data)), 'NOT_CLONEABLE')
      link.send(message(1))
    }
  })
  assert.equal(heard.map(dataOf), [1, 1, 1, 1, 1, 1])
})

test('a message that cannot leave its batch is lost, told of, and the rest of the batch leaves', async () => {
  const given = ends()
  const warned = new Promise<Error>((resolve) => void process.once('warning', resolve))
  const buffer = new ArrayBuffer(1)
  const heard = await heardOf(given, (link) => {
    given.batch.run(() => {
      link.send(message(1))
      link.send(message(new Proxy({}, {})))
      link.send(message(buffer), [buffer])
      link.send(message(3))
    })
  })
  assert.equal(heard.map(dataOf), [1, new ArrayBuffer(1), 3])
  assert.is(buffer.byteLength, 0)
  assert.equal(given.lost, [['message', 'NOT_CLONEABLE']])
  assert.match((await warned).message, /a message to thread 2 was lost, .*cloned/)
})

test('shared memory stays shared, and a transferred buffer is moved', async () => {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const buffer = new ArrayBuffer(8)
  const heard = await heardOf(ends(), (link) => {
    link.send(message({ words }))
    link.send(message({ buffer }), [buffer])
  })
  const [first, second] = heard.map(dataOf) as [{ words: Int32Array }, { buffer: ArrayBuffer }]
  first.words[1] = 42
  assert.is(words[1], 42)
  assert.equal([buffer.byteLength, second.buffer.byteLength], [0, 8])
})

test('what a getter sends while its own message is being sent arrives whole, as that does', async () => {
  const given = ends()
  const chatty = (depth: number): object => ({
    before: 'before '.repeat(3),
    get now() {
      given.a.send(message(depth > 0 ? chatty(depth - 1) : { inner: 'text '.repeat(20) }))
      return 1
    },
    after: 'after '.repeat(3),
  })
  const heard = await heardOf(given, (link) => {
    link.send(message(chatty(2)))
    given.batch.run(() => link.send(message(chatty(0))))
    link.send(message('last'))
  })
  const whole = { before: 'before '.repeat(3), now: 1, after: 'after '.repeat(3) }
  const inner = { inner: 'text '.repeat(20) }
  const all = heard.map((one) => JSON.stringify(dataOf(one)))
  assert.equal(
    all.toSorted(),
    [whole, whole, whole, whole, inner, inner, 'last'].map((one) => JSON.stringify(one)).toSorted(),
  )
})

test('a message whose getter throws is refused with what it threw as the cause', async () => {
  const failing = {
    get part(): number {
      throw new Error('not today')
    },
  }
  const heard = await heardOf(ends(), (link) => {
    const error = assert.throwsCode(() => link.send(message(failing)), 'NOT_CLONEABLE')
    assert.match(String((error.cause as Error).message), /not today/)
    link.send(message(1))
  })
  assert.equal(heard.map(dataOf), [1])
})

for (const early of [true, false]) {
  const who = early ? 'the reader of the ring' : 'the port'
  test(`a signal on the port that ${who} cannot read is told of, and those behind it arrive`, () => readBroken(early))
}

async function readBroken(early: boolean): Promise<void> {
  const options = { polling: { spin: 0, linger: 100 }, ringSize: 16_384 }
  const [first, second] = new RingCarrier(options).pair(1, 2, false) as [RingEnd, RingEnd]
  // A worker has the larger stack: what it can write, main cannot read.
  const posted = new Int32Array(new SharedArrayBuffer(4))
  const source = `
    const { workerData: { port, posted, good } } = require('node:worker_threads')
    let deep = 1
    for (let i = 0; i < 10_000; i++) deep = { deep }
    port.postMessage({ ...good, deep })
    port.postMessage(good)
    Atomics.store(posted, 0, 1)
    Atomics.notify(posted, 0)`
  const workerData = { port: first.port, posted, good: message(1) }
  const worker = new Worker(source, { eval: true, workerData, transferList: [first.port] })
  const ended = Promise.all([once(worker, 'exit'), once(second.port, 'close')])
  Atomics.wait(posted, 0, 0)
  const writer = new RingWriter(second.inbox)
  for (let records = 0; records < 2; records++) {
    writer.begin(0)
    writer.commit(ELSEWHERE, 0)
  }
  writer.publish()
  const warned = new Promise<Error>((resolve) => void process.once('warning', resolve))
  const heard: unknown[] = []
  const link = new RingCarrier().attach(second, 1, new Batch(false), {
    arrive: (work) => work(),
    receive: (signal) => heard.push(dataOf(signal)),
    closed: () => heard.push('closed'),
  })
  if (early) (link as RingLink).drain()
  assert.match((await warned).message, /a message from thread 1 was lost, .*call stack/)
  await ended
  assert.equal(heard, [1, 'closed'])
}

test('what is as deep as a message may be arrives', async () => {
  const [arrived] = (await heardOf(ends(), (link) => link.send(message(nested(MAX_DEPTH))))).map(dataOf)
  assert.is(transcript(arrived), transcript(nested(MAX_DEPTH)))
})

test('the end that closes hears nothing more, and sending on it is harmless', async () => {
  const given = ends()
  for (const data of [1, 2]) {
    given.a.send(message(data))
    given.a.close()
  }
  await given.closed
  given.b.send(message(3))
  assert.equal(given.heard, [message(1), 'closed 1'])
})

test.run()
