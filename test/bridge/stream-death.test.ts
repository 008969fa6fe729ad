import { credentials, Metadata } from '@grpc/grpc-js'
import { ResumeResult, WatchServiceClient } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { type ActorSystem, BridgeServer } from '../../src/index.js'
import { bomb } from '../fixtures/survivors.js'
import { assert, eventually, suite } from '../harness.js'
import { RawStream } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer } from '../support/streams.js'
import { withSystem } from '../support/system.js'

const test = suite('the native stream: deaths around it', { timeout: 60_000 })

const module = new URL('../fixtures/survivors.js', import.meta.url)

/** Ends the thread of the contexts; resolves when another has taken its place. */
async function strike(system: ActorSystem): Promise<void> {
  const [thread] = system.threads().filter(({ kind }) => kind === 'system')
  await system.self.spawn({ module, export: bomb.name }, 'process.exit', { thread: 'system' }).catch(() => {})
  await eventually(() => assert.ok(system.threads().every(({ id }) => id !== thread?.id)), { timeout: 30_000 })
}

test('the thread of the contexts dies: watches go on, nothing is lost and nothing comes twice', () =>
  withSystem({ threads: 1 }, async (system) => {
    await using server = await StreamServer.start(system)
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    for (const round of [0, 1]) {
      await Promise.all(range(1, 100).map((value) => ctx.set('x', 200 * round + value)))
      await strike(system)
      await Promise.all(range(101, 200).map((value) => ctx.set('x', 200 * round + value)))
      const id = stream.command('s', { $case: 'get', value: { names: ['x'] } })
      assert.is((await stream.reply(id)).outcome?.$case, 'variables')
    }
    await stream.fence(1)
    assert.equal(watch.values, range(1, 400))
    assert.equal([stream.faults, watch.created.length], [[], 1])
  }))

test('a client that asks and does not read is forgotten, and what it asked for with it', () =>
  withSystem({ threads: 1 }, async (system) => {
    await using server = await StreamServer.start(system)
    const ctx = await server.session('s')
    await ctx.define('x', 'string', 'x'.repeat(20_000))
    const stream = await server.stream({ heartbeatMs: 100 })
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    stream.call.pause()
    for (const _ of range(1, 6000)) stream.command('s', { $case: 'get', value: { names: ['x'] } })
    await eventually(() => assert.equal(server.stats['watches'], 0), { timeout: 30_000 })
    const other = await server.stream()
    assert.is((await other.sync('s')).outcome?.$case, 'done')
    stream.call.cancel()
  }))

test('the thread of the server dies: who comes back is told what was missed, and no more', () =>
  withSystem({ threads: 1 }, async (system) => {
    await using server = await BridgeServer.start(system, { address: '127.0.0.1:0' })
    const ctx = await server.sessions.create('s')
    await ctx.define('x', 'integer', 0)
    const clients: WatchServiceClient[] = []
    const connect = async () => {
      const client = new WatchServiceClient(server.address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.initial_reconnect_backoff_ms': 20,
      })
      clients.push(client)
      const metadata = new Metadata()
      metadata.setOptions({ waitForReady: true })
      const stream = new RawStream(client.session(metadata))
      stream.hello()
      await stream.when(() => stream.heard.length > 0 || stream.ended !== undefined)
      return stream
    }
    const before = await connect()
    const first = before.create(1, 's')
    await before.when(() => first.snapshots === 1)
    await Promise.all(range(1, 10).map((value) => ctx.set('x', value)))
    await before.fence(1)
    const isolated = system.threads().find(({ kind }) => kind === 'isolated')?.id
    const pid = system.processes().find(({ thread }) => thread === isolated)
    assert.ok(pid)
    system.self.exit(pid, 'kill')
    await before.end()
    await Promise.all(range(11, 20).map((value) => ctx.set('x', value)))
    let after = await connect()
    await eventually(
      async () => {
        if (after.ended !== undefined) after = await connect()
        assert.is(after.ended, undefined)
      },
      { timeout: 30_000 },
    )
    const incarnation = first.created[0]?.incarnation as string
    const again = after.create(1, 's', { resume: { incarnation, revision: first.through } })
    await after.when(() => again.events.length === 10)
    await after.fence(1)
    assert.equal([again.created[0]?.resume, again.values], [ResumeResult.RESUME_RESULT_RESUMED, range(11, 20)])
    assert.equal([before.faults, after.faults], [[], []])
    const welcomes = [before, after].map(({ heard }) => (heard[0]?.$case === 'welcome' ? heard[0].value.serverId : ''))
    assert.is.not(welcomes[0], welcomes[1])
    for (const client of clients) client.close()
  }))

test.run()
