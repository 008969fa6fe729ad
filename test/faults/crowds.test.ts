import { Bridge, BridgeServer, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { assertClean } from './support/checker.js'
import { OperationRecorder, WatchRecorder } from './support/history.js'
import { quick } from './support/link.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: crowds', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

test('fault 27: five thousand watches that are opened at once are all answered', async () => {
  await using server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
  const ctx = await server.sessions.create('s')
  for (const index of range(0, 9)) await ctx.define(`v${index}`, 'integer', 0)
  await using stream = new RawStream(server.address)
  await stream.next('welcome')
  for (const watchId of range(1, 5000))
    stream.watch(watchId, 's', { selectors: [{ of: { $case: 'name', value: `v${watchId % 10}` } }] })
  const answered = () => stream.all('created').length + stream.all('canceled').length
  await eventually(() => answered() >= 5000, { timeout: 10_000 })
  assert.equal(stream.all('canceled'), [])
  await eventually(() => stream.all('snapshot').filter(({ last }) => last).length === 5000)
  await ctx.set('v3', 1)
  await eventually(() => stream.all('batch').filter(({ events }) => events.length === 1).length >= 500)
})

test('fault 27: more streams, and more watches, than are allowed: a clear refusal, no hang', async () => {
  await using server = await BridgeServer.start(system(), {
    address: '127.0.0.1:0',
    limits: { maxStreams: 10, maxWatches: 20 },
  })
  const ctx = await server.sessions.create('s')
  await ctx.define('x', 'integer', 0)
  const streams = range(1, 15).map(() => new RawStream(server.address))
  try {
    const outcomes = await Promise.all(
      streams.map((stream) =>
        Promise.race([
          stream.next('welcome').then(
            () => 'in',
            () => 'out',
          ),
          stream.ended.then(() => 'out'),
        ]),
      ),
    )
    assert.is(outcomes.filter((one) => one === 'in').length, 10)
    const inside = streams[outcomes.indexOf('in')] as RawStream
    for (const watchId of range(1, 30)) inside.watch(watchId, 's')
    await eventually(() => inside.all('created').length + inside.all('canceled').length === 30)
    assert.is(inside.all('created').length, 20)
    assert.equal([...new Set(inside.all('canceled').map(({ reason }) => reason))], [9])
    inside.send({ $case: 'cancel', value: { watchId: 1 } })
    await inside.next('canceled', ({ watchId }) => watchId === 1)
    inside.watch(31, 's')
    await inside.next('created', ({ watchId }) => watchId === 31)
  } finally {
    for (const stream of streams) await stream.close()
  }
})

test('fault 29: a server that is stopped under load lets its clients have all that was committed', async () => {
  const server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
  const ctx = await server.sessions.create('s')
  await ctx.define('a', 'integer', 0)
  await using bridge = await Bridge.connect(system(), server.address, quick)
  const here = await Context.start(system(), { id: 's', bridge })
  const recorder = new WatchRecorder('here', 'w', ['a'])
  const ends: unknown[] = []
  await here.watch(['a'], recorder.callback, {
    includeInitial: true,
    onResync: recorder.onResync,
    onError: (error) => ends.push(error),
  })
  const operations = new OperationRecorder('there')
  let over = false
  let value = 0
  const writing = (async () => {
    while (!over)
      await Promise.all(
        range(1, 50).map(() => {
          value += 1
          const mine = value
          return operations.write({ a: mine }, async () => ({ ...(await ctx.set('a', mine)) }))
        }),
      )
  })()
  await eventually(() => recorder.changes > 500)
  const begin = performance.now()
  await server.stop({ grace: 3000 })
  assert.ok(performance.now() - begin < 3500)
  over = true
  await writing
  assert.ok(recorder.changes > 500)
  // What was answered before the stop was asked for has been told; the session ends with its server.
  const watches = [recorder.take()]
  const told = watches[0]?.items.at(-1)
  const last = told?.kind === 'change' ? told.revision : 0
  const answered = operations.take().filter(({ revision = Number.POSITIVE_INFINITY }) => revision <= last)
  assertClean({ operations: answered, watches, incarnations: 'one' })
})

test.run()
