import { ActorSystem, Bridge, BridgeServer, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { Recorder } from '../support/recorder.js'
import { strike } from '../support/strike.js'
import { quick } from './support/link.js'
import { TcpProxy } from './support/tcp-proxy.js'

const test = suite('faults: contexts that come back', { timeout: 60_000 })

interface Parts {
  /** Where the contexts live that are behind the bridge. */
  readonly system: ActorSystem
  readonly server: BridgeServer
  readonly bridge: Bridge
  readonly ctx: Context
  /** The network is gone; resolves when the bridge knows. */
  cut(): Promise<void>
  /** It is there again; resolves when the bridge is connected. */
  mend(): Promise<void>
  killBridge(): Promise<void>
}

/** A context with the integers x and y, in the session `s` of a server in another system. */
const behind = (body: (parts: Parts) => Promise<void>) => async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  await using elsewhere = await ActorSystem.start({ threads: 1 })
  await using server = await BridgeServer.start(elsewhere, { address: '127.0.0.1:0' })
  await using proxy = await TcpProxy.start(server.address)
  await using bridge = await Bridge.connect(system, proxy.address, quick)
  const ctx = await Context.start(system, { id: 's', bridge })
  await ctx.define('x', 'integer', 1)
  await ctx.define('y', 'integer', 2)
  const cut = async () => {
    proxy.refuse()
    proxy.reset()
    await eventually(() => bridge.state !== 'ready')
  }
  const mend = async () => {
    proxy.heal()
    await eventually(() => bridge.state === 'ready')
  }
  const killBridge = async () => {
    const { pid } = bridge
    system.self.exit(pid, 'kill')
    await eventually(() => {
      const now = system.whereis(bridge.name)
      return now !== undefined && !now.equals(pid)
    })
  }
  await body({ system, server, bridge, ctx, cut, mend, killBridge })
}

/** The session is deleted, and made again with its variables in another order. */
async function madeAnew(server: BridgeServer): Promise<Context> {
  await server.sessions.delete('s')
  const session = await server.sessions.create('s')
  await session.define('y', 'integer', 20)
  await session.define('x', 'integer', 10)
  return session
}

test(
  'X6 what waits while a bridge is dead waits on when the next one dies, too',
  behind(async ({ ctx, cut, mend, killBridge }) => {
    await cut()
    await killBridge()
    const set = ctx.set('x', 5)
    const get = ctx.get('y')
    await killBridge()
    await mend()
    assert.is((await set).version, 1)
    assert.is(await get, 2)
    assert.is(ctx.peek('x'), 5)
  }),
)

test(
  'X6 each variable stays what it is, when the session was made anew and then the bridge died',
  behind(async ({ system, server, bridge, ctx, cut, mend, killBridge }) => {
    await cut()
    const session = await madeAnew(server)
    await mend()
    await eventually(() => ctx.peek('x') === 10)
    await killBridge()
    await ctx.set('x', 11)
    await session.set('y', 21)
    await using other = await Context.start(system, { id: 's', bridge })
    for (const one of [session, ctx, other]) assert.equal(await one.getMany(['x', 'y']), { x: 11, y: 21 })
  }),
)

test(
  'X9 a session that became shorter while the thread of its context died is announced, and told',
  behind(async ({ system, server, ctx, cut, mend }) => {
    for (let value = 0; value < 20; value++) await ctx.set('x', value)
    const seen = new Recorder()
    const lost: string[] = []
    const onResync = ({ reason }: { reason: string }) => lost.push(reason)
    await using watch = await ctx.watch(['x'], seen.callback, { onResync })
    await cut()
    const session = await madeAnew(server)
    await strike(system)
    await mend()
    await eventually(() => seen.values.at(-1) === 10)
    assert.is(lost.length, 1)
    await session.set('x', 500)
    await eventually(() => seen.values.at(-1) === 500)
    assert.is(watch.state, 'live')
  }),
)

test(
  'X6 while the server is away and its thread has died, a context can be read, waits, and can be stopped',
  behind(async ({ system, ctx, cut }) => {
    await cut()
    await strike(system)
    assert.is(ctx.peek('x'), 1)
    const set = ctx.set('x', 7).then(
      () => 'set',
      ({ code }: { code: string }) => code,
    )
    await ctx.stop()
    assert.is(await set, 'NOPROC')
  }),
)

test(
  'X5 a lease moves with its variable',
  behind(async ({ system, server, bridge }) => {
    await using ctx = await Context.start(system)
    await ctx.define('x', 'integer', 0)
    const { token } = await ctx.lease('x', 'tuner')
    await ctx.ensureBridged(bridge)
    await assert.rejects(ctx.set('x', 1), 'LOCKED')
    await assert.rejects(server.sessions.update(ctx.id, 'x', 1), 'LOCKED')
    await ctx.set('x', 2, { optimization_id: token })
    assert.is(await ctx.release('x', { token }), true)
  }),
)

test(
  'X20 watches that begin at different revisions at once are told each its own',
  behind(async ({ system, bridge, ctx }) => {
    for (let value = 1; value <= 100; value++) await ctx.set('x', value)
    await using late = await Context.start(system, { id: 's', bridge })
    const [one, other] = [new Recorder(), new Recorder()]
    await Promise.all([
      late.watch(['x'], one.callback, { sinceRevision: 2 }),
      late.watch(['x'], other.callback, { sinceRevision: 52 }),
    ])
    await late.set('x', 101)
    assert.equal([one.values.length, other.values.length], [101, 51])
  }),
)

test.run()
