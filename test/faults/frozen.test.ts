import { Bridge, type BridgeServer, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { assertClean } from './support/checker.js'
import { ChildClient } from './support/child-client.js'
import { ChildServer } from './support/child-server.js'
import { type History, OperationRecorder, WatchRecorder } from './support/history.js'
import { HEARTBEAT, Link, quick } from './support/link.js'

const test = suite('faults: frozen programs', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

const streams = async (server: BridgeServer) => {
  const { streams = 0, watches = 0 } = (await server.stats()).counts
  return { streams, watches }
}

test('fault 5: a client that is frozen, and one that is killed, are forgotten within three beats', async () => {
  await using link = await Link.open(system(), ['a'])
  const before = await streams(link.server)
  const spec = { address: link.server.address, options: quick, session: link.there.id }
  await using frozen = await ChildClient.start({ ...spec, client: 'frozen' })
  await using killed = await ChildClient.start({ ...spec, client: 'killed' })
  for (const client of [frozen, killed]) await client.watch(['a'])
  assert.ok((await streams(link.server)).watches > before.watches)
  frozen.child.freeze()
  await killed.child.kill()
  await eventually(async () => assert.equal(await streams(link.server), before), { timeout: 8 * HEARTBEAT })
  // It comes back as if nothing had been.
  await link.write(['a'])
  frozen.child.thaw()
  await eventually(async () => {
    const { watches } = await frozen.take()
    return watches[0]?.carried['a']?.value === 1
  })
})

test('fault 14: a program that is busy for longer than three beats reads what has come before it judges the server', async () => {
  await using link = await Link.open(system(), ['a'])
  const spec = { address: link.proxy.address, options: quick, session: link.there.id, client: 'busy' }
  await using busy = await ChildClient.start(spec)
  await busy.watch(['a'])
  const { accepted } = link.proxy
  const blocked = busy.child.ask({ kind: 'block', ms: 5 * HEARTBEAT })
  for (const _ of range(1, 20)) await link.write(['a'], link.there)
  await blocked
  await eventually(async () => {
    await busy.child.ask({ kind: 'state' })
    const { watches } = await busy.take()
    return (
      watches[0]?.carried['a']?.value === 20 ||
      watches[0]?.items.some((item) => item.kind === 'change' && item.value === 20)
    )
  })
  assert.is(link.proxy.accepted, accepted, 'the bridge has a thread of its own and beats on')
})

test('fault 31: a server that stalls for less than three beats keeps its clients', async () => {
  const heartbeat = 1000
  await using server = await ChildServer.start({
    options: { address: '127.0.0.1:0', heartbeat },
    sessions: { s: ['a'] },
  })
  await using bridge = await Bridge.connect(system(), server.address, { ...quick, heartbeat })
  const ctx = await Context.start(system(), { id: 's', bridge })
  const recorder = new WatchRecorder('here', 'w', ['a'])
  const watch = await ctx.watch(['a'], recorder.callback, { includeInitial: true })
  let ends = 0
  bridge.on('state', (state) => {
    if (state === 'reconnecting') ends += 1
  })
  const operations = new OperationRecorder('here')
  await operations.write({ a: 1 }, async () => ({ ...(await ctx.set('a', 1)) }))
  server.child.freeze()
  const late = operations.write({ a: 2 }, async () => ({ ...(await ctx.set('a', 2)) }))
  const begin = performance.now()
  await eventually(() => performance.now() - begin > 1.5 * heartbeat)
  server.child.thaw()
  await late
  assert.equal([ends, watch.state], [0, 'live'])
  const final = await server.values('s')
  assertClean({ operations: operations.take(), watches: [recorder.take()], final, incarnations: 'one' })
})

test('fault 4: a frozen server is noticed within three beats; thawed, it is found again, and nothing is lost', async () => {
  await using server = await ChildServer.start({
    options: { address: '127.0.0.1:0', heartbeat: HEARTBEAT },
    sessions: { s: ['a'] },
  })
  await using bridge = await Bridge.connect(system(), server.address, quick)
  const ctx = await Context.start(system(), { id: 's', bridge })
  const recorder = new WatchRecorder('here', 'w', ['a'])
  const watch = await ctx.watch(['a'], recorder.callback, { includeInitial: true, onResync: recorder.onResync })
  const operations = new OperationRecorder('here')
  await operations.write({ a: 1 }, async () => ({ ...(await ctx.set('a', 1)) }))
  server.child.freeze()
  await eventually(() => watch.state !== 'live' && bridge.state === 'reconnecting')
  server.child.thaw()
  await eventually(() => watch.state === 'live')
  await operations.write({ a: 2 }, async () => ({ ...(await ctx.set('a', 2)) }))
  const final = await server.values('s')
  assertClean({ operations: operations.take(), watches: [recorder.take()], final, incarnations: 'one' })
})

test('fault 26: wall clocks that jump by an hour end no connection and no session', async () => {
  const before = [new URL('./fixtures/clock-jump.js', import.meta.url)]
  const options = { address: '127.0.0.1:0', heartbeat: HEARTBEAT, sessionTtl: 600 }
  await using server = await ChildServer.start({ options, sessions: { s: ['a'] } }, before)
  const spec = { client: 'c', session: 's', address: server.address, options: quick }
  await using client = await ChildClient.start(spec, before)
  await client.watch(['a'])
  const begin = performance.now()
  for (let value = 1; performance.now() - begin < 3000; value++) await client.write(['a'], value)
  assert.equal(await client.child.ask({ kind: 'state' }), { state: 'ready', changes: 0 })
  assertClean({ ...(await client.take()), final: await server.values('s'), incarnations: 'one' } as History)
})

test.run()
