import { once } from 'node:events'
import { type MessagePort, Worker } from 'node:worker_threads'
import type { BeamlineError } from '../../src/errors.js'
import { Batch, type Link } from '../../src/threads/link.js'
import { portCarrier } from '../../src/threads/port-link.js'
import type { Signal } from '../../src/threads/signal.js'
import { MAX_DEPTH } from '../../src/threads/tree-copier.js'
import { assert, suite } from '../harness.js'
import { together } from '../support/link-events.js'

const test = suite('port links')

const signal = (thread: number): Signal => ({ kind: 'dial', thread })

interface Ends {
  readonly a: Link
  readonly b: Link
  /** What each `receive` of `b` was given; `'closed'` for the closing. */
  readonly heard: unknown[]
  /** What the first end could not send. */
  readonly lost: unknown[]
  readonly batch: Batch
  /** Resolves when `b` has heard `closed`. */
  readonly closed: Promise<unknown>
}

function ends(batching = false): Ends {
  const [first, second] = portCarrier.pair(1, 2, false) as [MessagePort, MessagePort]
  const batch = new Batch(batching)
  const heard: unknown[] = []
  const lost: unknown[] = []
  const events = together(() => {}, {
    closed: () => {},
    lost: ({ kind }: Signal, { code }: BeamlineError) => lost.push([kind, code]),
  })
  const a = portCarrier.attach(first, 2, batch, events)
  const threads = (signals: readonly Signal[]) => signals.map((one) => (one as { thread: number }).thread)
  const b = portCarrier.attach(
    second,
    1,
    new Batch(false),
    together((signals, from) => heard.push([from, ...threads(signals)]), {
      closed: (peer) => heard.push(`closed ${peer}`),
    }),
  )
  return { a, b, heard, lost, batch, closed: once(second, 'close') }
}

/** A worker that does `work` with its end of a link and ends. */
function startSender(work: string, data: object): { port: MessagePort; ended: Promise<unknown> } {
  const source = `
    const { workerData } = require('node:worker_threads')
    const { port } = workerData
    ${String(deep).replace(/^/, 'const deep = ')}
    ${String(message).replace(/^/, 'const message = ')}
    ${work}
    port.close()`
  const [port, far] = portCarrier.pair(1, 2, false) as [MessagePort, MessagePort]
  const worker = new Worker(source, { eval: true, workerData: { ...data, port: far }, transferList: [far] })
  return { port, ended: Promise.all([once(worker, 'exit'), once(port, 'close')]) }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('signals arrive in order, then the closing', async () => {
  const { a, b, heard, closed } = ends()
  assert.is(a.peer, 2)
  assert.is(b.peer, 1)
  for (const i of upTo(1000)) a.send(signal(i))
  a.close()
  await closed
  assert.equal(heard, [...upTo(1000).map((i) => [1, i]), 'closed 1'])
})

test('what is sent while a batch is open leaves in one piece, in order', async () => {
  const { a, heard, closed, batch } = ends(true)
  a.send(signal(0))
  batch.run(() => {
    for (const i of upTo(5)) a.send(signal(i + 1))
    batch.run(() => a.send(signal(6)))
  })
  a.send(signal(7))
  batch.run(() => a.send(signal(8)))
  a.close()
  await closed
  assert.equal(heard, [[1, 0], [1, 1, 2, 3, 4, 5, 6], [1, 7], [1, 8], 'closed 1'])
})

test('a batch that throws lets out what was sent before', async () => {
  const { a, heard, closed, batch } = ends(true)
  assert.throws(
    () =>
      batch.run(() => {
        a.send(signal(1))
        throw new Error('half way')
      }),
    /half way/,
  )
  batch.run(() => a.send(signal(2)))
  a.close()
  await closed
  assert.equal(heard, [[1, 1], [1, 2], 'closed 1'])
})

test('a link that closes inside a batch lets out what was sent before, and nothing after', async () => {
  const { a, heard, closed, batch } = ends(true)
  batch.run(() => {
    a.send(signal(1))
    a.close()
    a.send(signal(2))
  })
  await closed
  assert.equal(heard, [[1, 1], 'closed 1'])
})

test('a thread without batches sends at once, whatever runs', async () => {
  const { a, heard, closed, batch } = ends(false)
  batch.run(() => {
    a.send(signal(1))
    a.send(signal(2))
  })
  a.close()
  await closed
  assert.equal(heard, [[1, 1], [1, 2], 'closed 1'])
})

test('buffers are transferred, in a batch too', async () => {
  const got: ArrayBuffer[] = []
  const [first, second] = portCarrier.pair(1, 2, false) as [MessagePort, MessagePort]
  const batch = new Batch(true)
  const lost: unknown[] = []
  const events = together(() => {}, {
    closed: () => {},
    lost: ({ kind }: Signal, { code }: BeamlineError) => lost.push([kind, code]),
  })
  const a = portCarrier.attach(first, 2, batch, events)
  const take = (signals: readonly Signal[]) => {
    for (const one of signals) got.push((one as unknown as { body: { data: ArrayBuffer } }).body.data)
  }
  portCarrier.attach(second, 1, batch, together(take, { closed: () => {} }))
  const closed = once(second, 'close')
  const buffers = [new ArrayBuffer(1), new ArrayBuffer(2), new ArrayBuffer(3)]
  const send = (data: ArrayBuffer) =>
    a.send({ kind: 'message', to: [0, 0, 0], body: { data, tagged: false }, cast: false }, [data])
  send(buffers[0] as ArrayBuffer)
  batch.run(() => buffers.slice(1).forEach(send))
  a.close()
  await closed
  assert.equal(
    buffers.map(({ byteLength }) => byteLength),
    [0, 0, 0],
  )
  assert.equal(
    got.map(({ byteLength }) => byteLength),
    [1, 2, 3],
  )
})

test('what only cloning finds out is refused as NOT_CLONEABLE', () => {
  const { a } = ends()
  const buffer = new ArrayBuffer(1)
  structuredClone(buffer, { transfer: [buffer] })
  for (const data of [new Proxy({}, {}), buffer, () => {}]) {
    assert.throwsCode(() => a.send(message(data)), 'NOT_CLONEABLE')
  }
  a.close()
})

/** The next warning of a link, told apart from whatever else Node warns of. */
function linkWarning(): Promise<string> {
  return new Promise((resolve) => {
    const hear = (warning: Error & { code?: string }) => {
      if (warning.code !== 'BEAMLINE_LINK') return
      process.off('warning', hear)
      resolve(warning.message)
    }
    process.on('warning', hear)
  })
}

const deep = (levels: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = { in: value }
  return value
}

const message = (data: unknown): Signal => ({
  kind: 'message',
  to: [0, 0, 0],
  body: { data, tagged: false },
  cast: false,
})

test('a message that cannot be read where it arrives is told of, and those behind it arrive', async () => {
  const { port, ended } = startSender(
    `port.postMessage(deep(workerData.levels)); port.postMessage(workerData.signal)`,
    {
      levels: 20 * MAX_DEPTH,
      signal: signal(7),
    },
  )
  const heard: unknown[] = []
  const warned = linkWarning()
  const events = together((signals) => heard.push(...signals), { closed: () => heard.push('closed') })
  portCarrier.attach(port, 3, new Batch(false), events)
  await ended
  assert.match(await warned, /a message from thread 3 was lost, .*call stack/)
  assert.equal(heard, [signal(7), 'closed'])
})

test('what is as deep as a message may be is read on main, wherever it comes from', async () => {
  const { port, ended } = startSender(`port.postMessage(message(deep(workerData.levels)))`, { levels: MAX_DEPTH })
  const heard: Signal[] = []
  const events = together((signals) => heard.push(...signals), { closed: () => {} })
  portCarrier.attach(port, 3, new Batch(false), events)
  await ended
  let value: unknown = (heard[0] as { body: { data: unknown } }).body.data
  let levels = 0
  for (; typeof value === 'object'; value = (value as { in: unknown }).in) levels++
  assert.is(levels, MAX_DEPTH)
})

test('what cannot be cloned at the end of a batch is told of, and the rest of the batch leaves', async () => {
  const { a, heard, lost, closed, batch } = ends(true)
  const buffer = new ArrayBuffer(1)
  const warned = linkWarning()
  batch.run(() => {
    a.send(signal(1))
    a.send(message(new Proxy({}, {})))
    a.send({ kind: 'dial', thread: 2, buffer } as Signal, [buffer])
    a.send(signal(3))
  })
  assert.is(buffer.byteLength, 0)
  a.close()
  await closed
  assert.equal(heard, [[1, 1], [1, 2], [1, 3], 'closed 1'])
  assert.match(await warned, /a message to thread 2 was lost, .*cloned/)
  assert.equal(lost, [['message', 'NOT_CLONEABLE']])
})

test('the end that closes hears nothing more, and sending on it is harmless', async () => {
  const { a, b, closed } = ends()
  a.close()
  a.send(signal(1))
  a.close()
  await closed
  b.send(signal(2))
})

test.run()
