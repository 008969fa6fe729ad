import { isDown } from '../../src/actors/messages.js'
import type { Process } from '../../src/actors/process.js'
import type { ActorSystem } from '../../src/actors/system.js'
import { SessionDirectory } from '../../src/bridge/server/session-directory.js'
import { StoreLine, storeEntry } from '../../src/bridge/server/session-store.js'
import { ServerSessions } from '../../src/bridge/server/sessions.js'
import { BeamlineError } from '../../src/index.js'
import { Simulation } from '../../src/testing/index.js'
import { assert, eventually, suite } from '../harness.js'
import { systemFor } from '../support/system.js'

const test = suite('bridge server: sessions', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

interface Store {
  readonly sessions: ServerSessions
  readonly line: StoreLine
  restart(): Promise<void>
  stop(): Promise<void>
}

let count = 0
const memoryEntry = {
  module: new URL('../../src/bridge/server/server-memory-actor.js', import.meta.url),
  export: 'serverMemoryActor',
}

/** The sessions of a server without the server. */
async function store(of: ActorSystem, { ttlMs = 3_600_000, maxSessions = 100 } = {}): Promise<Store> {
  const { self } = of
  const name = `test.sessions.${count++}`
  const memory = await self.spawn(memoryEntry, undefined, { thread: 'main' })
  const start = () => self.spawn(storeEntry, { memory, ttlMs, maxSessions }, { thread: 'system', name })
  let pid = await start()
  const line = new StoreLine(self, name)
  return {
    line,
    sessions: new ServerSessions(self, line),
    async restart() {
      self.exit(pid, 'kill')
      await eventually(() => assert.not(of.isAlive(pid)))
      pid = await start()
    },
    async stop() {
      await line.ask({ kind: 'close' })
      await self.stop(pid, 'shutdown')
      self.exit(memory, 'kill')
      await eventually(() => assert.not(of.isAlive(memory)))
    },
  }
}

const withStore = (body: (store: Store) => Promise<void>, options?: Parameters<typeof store>[1]) => async () => {
  const own = await store(system(), options)
  try {
    await body(own)
  } finally {
    await own.stop()
  }
}

async function codeOf(what: Promise<unknown>): Promise<string> {
  try {
    await what
    return 'OK'
  } catch (error) {
    assert.instance(error, BeamlineError)
    return (error as BeamlineError).code
  }
}

test(
  'a session is made once, found by its id, and told of with what was said of it',
  withStore(async ({ sessions }) => {
    const begun = Date.now()
    const ctx = await sessions.create('s', { metadata: { owner: 'me' } })
    assert.is(ctx.id, 's')
    await ctx.define('x', 'integer', 1)
    assert.is(await (await sessions.get('s')).get('x'), 1)
    await sessions.update('s', 'x', 2, { source: 'host' })
    await sessions.update('s', 'x', 3)
    assert.is(await ctx.get('x'), 3)
    const again = await sessions.create('s').catch((error: BeamlineError) => error)
    assert.equal(
      [(again as BeamlineError).code, (again as BeamlineError).message],
      ['ALREADY_EXISTS', 'Session already exists: s'],
    )
    const [info] = await sessions.list()
    assert.equal({ ...info, createdAt: 0 }, { id: 's', createdAt: 0, metadata: { owner: 'me' } })
    assert.ok((info?.createdAt ?? 0) >= begun)
    assert.is(typeof (await sessions.create()).id, 'string')
  }),
)

test(
  'what is no session is refused by name',
  withStore(async ({ sessions }) => {
    const missing = await sessions.get('none').catch((error: BeamlineError) => error)
    assert.equal(
      [(missing as BeamlineError).code, (missing as BeamlineError).message],
      ['NOT_FOUND', 'Session not found: none'],
    )
    assert.is(await codeOf(sessions.update('none', 'x', 1)), 'NOT_FOUND')
    for (const id of ['', 7, null, 'x'.repeat(1025)])
      assert.is(await codeOf(sessions.create(id as string)), 'INVALID_TYPE')
    assert.is(await sessions.delete('none'), false)
  }),
)

test(
  'a deleted session is gone for everyone, and its id begins empty',
  withStore(async ({ sessions }) => {
    const ctx = await sessions.create('s', { metadata: { a: '1' } })
    await ctx.define('x', 'integer', 1)
    assert.is(await sessions.delete('s'), true)
    assert.is(await codeOf(ctx.get('x')), 'NOPROC')
    assert.is(await codeOf(sessions.get('s')), 'NOT_FOUND')
    assert.is(await sessions.delete('s'), false)
    const next = await sessions.create('s')
    assert.equal(await next.list(), [])
    assert.equal(
      (await sessions.list()).map(({ metadata }) => metadata),
      [{}],
    )
  }),
)

test(
  'a context that is stopped by its owner ends its session',
  withStore(async ({ sessions }) => {
    const ctx = await sessions.create('s')
    await ctx.stop()
    assert.is(await codeOf(sessions.get('s')), 'NOT_FOUND')
    assert.is((await sessions.create('s')).id, 's')
  }),
)

test(
  'of many that make one session at a time, one does; a deletion at the same time waits for it',
  withStore(async ({ sessions }) => {
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(sessions.create('s'))))
    assert.equal(codes.sort(), [...Array(19).fill('ALREADY_EXISTS'), 'OK'])
    const [made, deleted] = await Promise.all([codeOf(sessions.create('t')), sessions.delete('t')])
    assert.equal([made, deleted], ['OK', true])
    assert.is(await codeOf(sessions.get('t')), 'NOT_FOUND')
  }),
)

test(
  'more sessions than there may be are refused, and a deletion makes room',
  withStore(
    async ({ sessions }) => {
      const codes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => codeOf(sessions.create(id))))
      assert.equal(codes.sort(), ['EXHAUSTED', 'EXHAUSTED', 'OK', 'OK'])
      const [{ id } = { id: '' }] = await sessions.list()
      await sessions.delete(id)
      assert.is(await codeOf(sessions.create('e')), 'OK')
    },
    { maxSessions: 2 },
  ),
)

test(
  'the store begins again with the sessions it had when it is killed',
  withStore(async ({ sessions, restart }) => {
    const ctx = await sessions.create('kept', { metadata: { a: 'b' } })
    await ctx.define('x', 'integer', 5)
    const gone = await sessions.create('gone')
    await sessions.create('deleted')
    await sessions.delete('deleted')
    const before = await sessions.list()
    const restarted = restart()
    const found = sessions.get('kept')
    await restarted
    assert.is(await (await found).get('x'), 5)
    assert.is(await ctx.get('x'), 5)
    assert.equal(await sessions.list(), before)
    await gone.stop()
    assert.is(await codeOf(sessions.get('gone')), 'NOT_FOUND')
    assert.is(await codeOf(sessions.create('kept')), 'ALREADY_EXISTS')
    assert.is(await sessions.delete('kept'), true)
  }),
)

test('a session that nobody uses ends when its time is over; each use puts that off', async () => {
  const simulation = await Simulation.start({ seed: 1 })
  const { system: simulated, clock } = simulation
  const own = await simulation.run(() => store(simulated, { ttlMs: 10_000 }))
  await simulation.run(() => own.sessions.create('used'))
  await simulation.run(() => own.sessions.create('unused'))
  for (let step = 0; step < 4; step++) {
    clock.advance(3000)
    assert.is(await simulation.run(() => own.line.ask({ kind: 'touch', id: 'used' })), true)
  }
  assert.is(await simulation.run(() => own.line.ask({ kind: 'touch', id: 'unused' })), false)
  assert.equal(
    (await simulation.run(() => own.sessions.list())).map(({ id }) => id),
    ['used'],
  )
  clock.advance(9900)
  assert.is(await simulation.run(() => codeOf(own.sessions.get('used'))), 'OK')
  clock.advance(10_001)
  assert.is(await simulation.run(() => codeOf(own.sessions.get('used'))), 'NOT_FOUND')
  await simulation.run(() => own.stop())
  await simulation.stop()
})

test('a session in which the host writes by a handle is in use, and ends once it does no more', async () => {
  const simulation = await Simulation.start({ seed: 2 })
  const { system: simulated, clock } = simulation
  const own = await simulation.run(() => store(simulated, { ttlMs: 10_000 }))
  const ctx = await simulation.run(() => own.sessions.create('s'))
  await simulation.run(() => ctx.define('x', 'integer', 0))
  for (let step = 0; step < 20; step++) {
    clock.advance(2500)
    await simulation.run(() => ctx.set('x', step))
  }
  assert.equal((await simulation.run(() => own.sessions.list())).length, 1)
  for (let step = 0; step < 8; step++) {
    clock.advance(2500)
    await simulation.run(() => own.sessions.list())
  }
  assert.equal(await simulation.run(() => own.sessions.list()), [])
  await simulation.run(() => own.stop())
  await simulation.stop()
})

/** Runs `body` with the sessions as the process of a server has them. */
async function withDirectory(own: Store, body: (directory: SessionDirectory, self: Process) => Promise<void>) {
  await new Promise<void>((resolve, reject) => {
    const play = async (self: Process) => {
      const directory = new SessionDirectory(self, own.line, 3_600_000)
      const over = body(directory, self).then(resolve, reject)
      const isOver = over.then(() => 'over' as const)
      for (;;) {
        const message = await Promise.race([self.receive(isDown), isOver])
        if (message === 'over') return
        directory.heard(message)
      }
    }
    system().self.spawn(play).catch(reject)
  })
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })

test(
  'to the server a session is one object, until it ends: then its signal aborts, whoever ended it',
  withStore((own) =>
    withDirectory(own, async (directory) => {
      for (const end of ['server', 'host', 'owner'] as const) {
        const session = await directory.create('s', { a: end })
        assert.is(await directory.get('s'), session)
        assert.is(session.metadata['a'], end)
        assert.is(session.context.id, 's')
        await session.context.define('x', 'integer', 1)
        assert.is(await codeOf(directory.create('s', {})), 'ALREADY_EXISTS')
        if (end === 'server') {
          assert.is(await directory.delete('s'), true)
          assert.ok(session.signal.aborted)
        } else if (end === 'host') await own.sessions.delete('s')
        else await (await own.sessions.get('s')).stop()
        assert.is(await codeOf(directory.get('s')), 'NOT_FOUND')
        await aborted(session.signal)
        assert.is((session.signal.reason as BeamlineError).message, 'Session not found: s')
        assert.is(await directory.touch('s'), false)
      }
      const host = await own.sessions.create('t')
      await host.define('y', 'integer', 2)
      const [all, found] = await Promise.all([directory.list(), directory.get('t')])
      assert.equal(all, [found])
      assert.is(await found.context.get('y'), 2)
      assert.is(await directory.touch('t'), true)
    }),
  ),
)

test.run()
