import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import type { ActorSystem } from '../../src/actors/system.js'
import type { Binding, MemoryNote } from '../../src/bridge/server/server-memory-actor.js'
import { type BeamlineError, BridgeServer, type Pid } from '../../src/index.js'
import { bomb } from '../fixtures/survivors.js'
import { assert, eventually, suite } from '../harness.js'
import { Peer, withServer } from '../support/bridges.js'
import { assertNothingLeft } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('bridge server: deaths and ends', { timeout: 120_000 })
const options = { threads: 1 }

/** The process of the server, which is the one that has a thread to itself. */
function serverOf(system: ActorSystem): Pid | undefined {
  const isolated = system.threads().filter(({ kind }) => kind === 'isolated')
  return system.processes().find(({ thread }) => isolated.some(({ id }) => id === thread))
}

async function kill(system: ActorSystem): Promise<void> {
  const pid = serverOf(system)
  assert.ok(pid)
  system.self.exit(pid, 'kill')
  await eventually(() => assert.not(system.isAlive(pid)))
}

/** Ends the thread of the sessions; resolves when another has taken its place. */
async function strike(system: ActorSystem): Promise<void> {
  const [thread] = system.threads().filter(({ kind }) => kind === 'system')
  const module = new URL('../fixtures/survivors.js', import.meta.url)
  await system.self.spawn({ module, export: bomb.name }, 'throw in a timer', { thread: 'system' }).catch(() => {})
  await eventually(() => assert.ok(system.threads().every(({ id }) => id !== thread?.id)))
}

for (const kind of ['tcp', 'unix'] as const)
  test(`a server that is killed is there again at the same address, with its sessions (${kind})`, () =>
    withSystem(options, async (system) => {
      const folder = mkdtempSync(join(tmpdir(), 'beamline-'))
      const address = kind === 'tcp' ? ':0' : `unix:${folder}/a.sock`
      await withServer(system, { address }, async (server) => {
        const ctx = await server.sessions.create('s', { metadata: { a: 'b' } })
        await ctx.define('x', 'integer', 1)
        using peer = new Peer(server.address)
        for (let life = 2; life < 5; life++) {
          await kill(system)
          await ctx.set('x', life)
          // What was on its way when it died has no answer.
          await eventually(async () => assert.is((await peer.check('', true)).code, status.OK))
          const stats = await server.stats()
          assert.equal([stats.address, stats.starts, stats.sessions], [server.address, life, 1])
        }
        assert.is(await (await server.sessions.get('s')).get('x'), 4)
      })
      rmSync(folder, { recursive: true })
    }))

test('a server whose address is taken while it is dead comes back when it is free', () =>
  withSystem(options, (system) =>
    withServer(system, {}, async (server) => {
      const thief = createServer().listen(0, '127.0.0.1')
      await once(thief, 'listening')
      const address = `127.0.0.1:${(thief.address() as AddressInfo).port}`
      const memory = await labelled(system, 'BridgeServer memory')
      const binding = async () => (await system.self.call(memory, 'address')) as Binding
      system.self.cast(memory, { kind: 'bound', address } satisfies MemoryNote)
      await kill(system)
      await eventually(async () => assert.is((await binding()).error?.code, 'UNAVAILABLE'))
      assert.is(await server.stats().catch((error: BeamlineError) => error.code), 'UNAVAILABLE')
      await new Promise((resolve) => thief.close(resolve))
      using peer = new Peer(address)
      assert.is((await peer.check('', true)).code, status.OK)
      assert.is((await binding()).error, undefined)
    }),
  ))

async function labelled(system: ActorSystem, label: string): Promise<Pid> {
  for (const pid of system.processes()) if ((await system.info(pid))?.label === label) return pid
  throw new Error(`no process is called ${label}`)
}

test('the death of the system thread ends no session, and the server goes on', () =>
  withSystem(options, async (system) => {
    await withServer(system, {}, async (server) => {
      const ctx = await server.sessions.create('s')
      await ctx.define('x', 'integer', 1)
      await strike(system)
      assert.is(await ctx.get('x'), 1)
      await server.sessions.update('s', 'x', 2)
      assert.equal(
        (await server.sessions.list()).map(({ id }) => id),
        ['s'],
      )
      assert.is((await server.stats()).starts, 1)
      using peer = new Peer(server.address)
      assert.is((await peer.check()).code, status.OK)
      await server.sessions.create('t')
      assert.is(await server.sessions.delete('s'), true)
    })
  }))

test('a server that has been stopped is gone, with its sessions, and may be stopped again', () =>
  withSystem(options, async (system) => {
    const run = async () => {
      const server = await BridgeServer.start(system, { address: ':0' })
      const ctx = await server.sessions.create('s')
      await Promise.all([server.stop(), server.stop()])
      await server.stop()
      await assert.rejects(ctx.list(), 'NOPROC')
      return server
    }
    await run()
    // What the first brings with it stays with the system.
    const before = system.processes().map(String)
    const server = await run()
    await assert.rejects(server.stats(), 'STOPPED')
    await assert.rejects(server.sessions.create('t'), 'STOPPED')
    await eventually(() => assert.equal(system.processes().map(String), before))
    using peer = new Peer(server.address)
    assert.is((await peer.check()).code, status.UNAVAILABLE)
    const again = await BridgeServer.start(system, { address: server.address })
    await again.stop()
  }))

test('a grace that is none is refused, and the server runs on', () =>
  withSystem(options, (system) =>
    withServer(system, {}, async (server) => {
      for (const grace of [-1, Number.NaN, '5' as never]) await assert.rejects(server.stop({ grace }), 'INVALID_TYPE')
      using peer = new Peer(server.address)
      assert.is((await peer.check()).code, status.OK)
    }),
  ))

test('a client that never lets go is cut off when the grace is over', () =>
  withSystem(options, async (system) => {
    const server = await BridgeServer.start(system, { address: ':0' })
    using peer = new Peer(server.address)
    const call = peer.health.watch({ service: '' })
    call.on('error', () => {})
    await once(call, 'data')
    // It reads nothing any more, not even that there is nothing more.
    call.pause()
    await server.stop({ grace: 0 })
    call.resume()
    await once(call, 'close').catch(() => {})
    assertGone(system)
  }))

function assertGone(system: ActorSystem): void {
  assert.is(serverOf(system), undefined)
}

test('the end of the system ends the server and everything of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beamline-'))
  const path = join(folder, 'a.sock')
  let kept: ActorSystem | undefined
  await withSystem(options, async (system) => {
    kept = system
    const server = await BridgeServer.start(system, { address: `unix:${path}` })
    await server.sessions.create('s')
    using peer = new Peer(server.address)
    assert.is((await peer.check()).code, status.OK)
  })
  assertNothingLeft(kept as ActorSystem)
  assert.not(existsSync(path))
  rmSync(folder, { recursive: true })
})

test('a server ends with the process that started it', () =>
  withSystem(options, async (system) => {
    let address = ''
    let context: Awaited<ReturnType<BridgeServer['sessions']['create']>> | undefined
    const owner = await system.spawn(async (self) => {
      const server = await BridgeServer.start(self, { address: ':0' })
      context = await server.sessions.create('s')
      address = server.address
      await self.receive()
    })
    await eventually(() => assert.is.not(address, ''))
    const pid = context?.pid
    system.self.exit(owner, 'shutdown')
    await eventually(() => assertGone(system))
    await eventually(() => assert.not(pid !== undefined && system.isAlive(pid)))
  }))

test.run()
