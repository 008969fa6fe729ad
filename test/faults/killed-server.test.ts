import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bridge, BridgeServer, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { assertClean } from './support/checker.js'
import { ChildServer } from './support/child-server.js'
import { OperationRecorder, WatchRecorder } from './support/history.js'
import { HEARTBEAT, quick } from './support/link.js'

const test = suite('faults: killed servers', { timeout: 40_000 })
const system = systemFor(test, { threads: 1 })
const options = { address: '127.0.0.1:0', heartbeat: HEARTBEAT }
const folder = mkdtempSync(join(tmpdir(), 'beamline-faults-'))
test.after(() => rmSync(folder, { recursive: true }))

test('fault 1: the server is killed and its log lost: one announced resync, the same end, nothing twice', async () => {
  await using server = await ChildServer.start({ options, sessions: { s: ['a', 'b'] } })
  await using bridge = await Bridge.connect(system(), server.address, quick)
  const ctx = await Context.start(system(), { id: 's', bridge })
  const recorder = new WatchRecorder('here', 'w', ['a', 'b'])
  const { callback, onResync } = recorder
  const watch = await ctx.watch(['a', 'b'], callback, { includeInitial: true, onResync })
  const operations = new OperationRecorder('here')
  for (let value = 1; value <= 50; value++)
    await operations.write({ a: value, b: value }, () => ctx.updateMany({ a: value, b: value }))
  await server.kill()
  await eventually(() => bridge.state === 'reconnecting' && watch.state !== 'live', { timeout: 1000 })
  await server.restart()
  await eventually(() => watch.state === 'live')
  for (let value = 51; value <= 100; value++)
    await operations.write({ a: value }, async () => ({ ...(await ctx.set('a', value)) }))
  const history = recorder.take()
  const resyncs = history.items.filter(({ kind }) => kind === 'resync')
  assert.ok(resyncs.length <= 1, `${resyncs.length} resyncs`)
  const final = await server.values('s')
  assert.equal(final['a']?.value, 100)
  assertClean({ operations: operations.take(), watches: [history], final, incarnations: 'many' })
})

test('fault 28: a herd of clients comes back to a killed server', async () => {
  const names = ['a', 'b', 'c']
  await using server = await ChildServer.start({ options, sessions: { s: names } })
  const clients = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const bridge = await Bridge.connect(system(), server.address, quick)
      const ctx = await Context.start(system(), { id: 's', bridge })
      const recorder = new WatchRecorder(`c${index}`, 'w', names)
      const { callback, onResync } = recorder
      const watch = await ctx.watch(names, callback, { includeInitial: true, onResync })
      return { bridge, ctx, recorder, watch }
    }),
  )
  const [first] = clients as [(typeof clients)[number]]
  await first.ctx.set('a', 1)
  await server.kill()
  await server.restart()
  await eventually(() => clients.every(({ watch }) => watch.state === 'live'), { timeout: 15_000 })
  await first.ctx.set('b', 2)
  await eventually(() => clients.every(({ recorder }) => recorder.told['b']?.value === 2))
  assert.equal(
    clients.map(({ recorder }) => recorder.told['a']?.value),
    clients.map(() => 1),
  )
  for (const { bridge } of clients) await bridge.close()
})

test('fault 32: a socket file that a killed server left is taken over; one in use, and a port in use, are refused', async () => {
  const path = join(folder, 'stale.sock')
  const address = `unix:${path}`
  const spec = { options: { ...options, address }, sessions: { s: ['a'] } }
  await using server = await ChildServer.start(spec)
  await assert.rejects(BridgeServer.start(system(), { address }), 'UNAVAILABLE', /listens there already/)
  await server.kill()
  await server.restart()
  await using bridge = await Bridge.connect(system(), server.address, quick)
  const ctx = await Context.start(system(), { id: 's', bridge })
  await ctx.define('x', 'integer', 1)
  assert.is(await ctx.get('x'), 1)
  const taken = createServer()
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  try {
    await assert.rejects(
      BridgeServer.start(system(), { address: `127.0.0.1:${port}` }),
      'UNAVAILABLE',
      /listens there already/,
    )
  } finally {
    taken.close()
  }
  const file = join(folder, 'no-socket')
  writeFileSync(file, 'precious')
  await assert.rejects(BridgeServer.start(system(), { address: `unix:${file}` }))
})

test.run()
