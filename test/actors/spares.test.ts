import type { Process } from '../../src/actors/process.js'
import { ActorSystem, type SystemOptions } from '../../src/actors/system.js'
import { SimulatedThreads, startSimulated } from '../../src/testing/simulated-threads.js'
import type { Carrier } from '../../src/threads/link.js'
import type { Pid } from '../../src/threads/pid.js'
import type { RunningThread } from '../../src/threads/pools.js'
import { Hall } from '../fixtures/loads.js'
import { assert, eventually, suite } from '../harness.js'
import { assertNothingLeft } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('spare threads', { timeout: 60_000 })

const fixture = (name: string) => new URL(`../fixtures/${name}.js`, import.meta.url)
const guests = { module: fixture('loads'), export: 'guest' }
const isolated = { thread: 'isolated', monitor: true } as const
const isDown = (message: unknown): message is { reason: unknown } => (message as { type?: unknown }).type === 'DOWN'

const spares = (system: ActorSystem): number[] =>
  system
    .threads()
    .filter(({ kind }) => kind === 'spare')
    .map(({ id }) => id)

const warm = (system: ActorSystem, count: number) =>
  eventually(() => assert.is(spares(system).length, count), { timeout: 20_000 })

/** The worker threads that have loaded the fixture since this was made. */
class Loads implements Disposable {
  readonly workers = new Set<number>()
  readonly #channel = new BroadcastChannel('loads')

  constructor() {
    this.#channel.onmessage = (event) => void this.workers.add((event as { data: number }).data)
  }

  [Symbol.dispose](): void {
    this.#channel.close()
  }
}

async function invite(self: Process): Promise<{ pid: Pid; worker: number }> {
  const pid = await self.spawn(guests, self.pid, isolated)
  return { pid, worker: await self.receive((message) => typeof message === 'number') }
}

test('there is none until a process is isolated, and then there are two', () =>
  withSystem({ threads: 1 }, async (system) => {
    await system.spawn(guests, system.self.pid, { thread: 0 })
    await system.self.receive()
    assert.equal(
      system
        .threads()
        .map(({ kind }) => kind)
        .sort(),
      ['scheduler', 'system'],
    )
    await invite(system.self)
    await warm(system, 2)
    assert.is(system.threads().length, 5)
  }))

test('a process is born on a spare that has loaded its module, and another takes the place of the spare', async () => {
  using loads = new Loads()
  await withSystem({ threads: 1 }, async (system) => {
    const { worker } = await invite(system.self)
    await warm(system, 2)
    await eventually(() => assert.is(loads.workers.size, 3))
    loads.workers.delete(worker)
    for (let i = 0; i < 4; i++) {
      const waiting = spares(system)
      const before = new Set(loads.workers)
      const next = await invite(system.self)
      assert.ok(waiting.includes(next.pid.thread))
      assert.ok(before.has(next.worker))
      await warm(system, 2)
      await eventually(() => assert.is(loads.workers.size, before.size + 1))
    }
  })
})

test('a given number waits from the start, and loads the module of a server that is isolated', async () => {
  using loads = new Loads()
  await withSystem({ threads: 1, spares: 3 }, async (system) => {
    await warm(system, 3)
    const waiting = spares(system)
    const hall = await system.start(Hall, undefined, { thread: 'isolated' })
    assert.ok(waiting.includes(hall.pid.thread))
    await warm(system, 3)
    await eventually(() => assert.is(loads.workers.size, 4))
    assert.ok(loads.workers.has(await hall.worker()))
  })
})

test('0 keeps none', () =>
  withSystem({ threads: 1, spares: 0 }, async (system) => {
    const { self } = system
    const { pid } = await invite(self)
    self.send(pid, 'leave')
    assert.is((await self.receive(isDown)).reason, 'normal')
    await eventually(() => assert.is(system.threads().length, 2))
    assert.is((await invite(self)).pid.thread > pid.thread, true)
    assert.is(system.threads().length, 3)
  }))

for (const spares of [-1, 1.5, Number.NaN, 5000, '2']) {
  test(`${typeof spares} ${spares} is no number of spares`, () =>
    assert.rejects(ActorSystem.start({ spares } as SystemOptions), 'INVALID_TYPE', /spares is '?[-\w.]+'?: give/))
}

test('no thread is used twice, and the last words and exits of a process on a spare arrive as from any', () =>
  withSystem({ threads: 1, spares: 1 }, async (system) => {
    const { self } = system
    self.trapExit = true
    const used = new Set<number>()
    for (let i = 0; i < 6; i++) {
      await warm(system, 1)
      const pid = await self.spawn({ ...guests, export: 'squatter' }, self.pid, { ...isolated, link: true })
      assert.type(await self.receive(), 'number')
      self.exit(pid, 'kill')
      const heard = [await self.receive(), await self.receive()] as { type: string; reason: unknown; pid: Pid }[]
      assert.equal(heard.map(({ type }) => type).sort(), ['DOWN', 'EXIT'])
      assert.ok(heard.every((one) => one.reason === 'killed' && one.pid.equals(pid)))
      used.add(pid.thread)
    }
    assert.is(used.size, 6)
  }))

test('a process with limits of its own leaves the spares alone', () =>
  withSystem({ threads: 1, spares: 1 }, async (system) => {
    await warm(system, 1)
    const before = spares(system)
    const resourceLimits = { maxOldGenerationSizeMb: 64 }
    const pid = await system.spawn(guests, system.self.pid, { ...isolated, resourceLimits })
    assert.is.not(pid.thread, before[0])
    await warm(system, 1)
    assert.equal(spares(system), before)
  }))

test('a module that cannot be loaded harms no spare', () =>
  withSystem({ threads: 1, spares: 1 }, async (system) => {
    await warm(system, 1)
    for (let i = 0; i < 3; i++) {
      await assert.rejects(system.spawn({ module: fixture('broken-module') }, undefined, isolated), 'BAD_ENTRY')
      await warm(system, 1)
    }
    assert.ok((await invite(system.self)).pid.thread > 0)
  }))

test('a spare that a module has ended is replaced by one without it', () =>
  withSystem({ threads: 1, spares: 2 }, async (system) => {
    const { self } = system
    await warm(system, 2)
    const before = spares(system)
    await self.spawn({ module: fixture('deadly-module'), export: 'doomed' }, undefined, isolated).catch(() => undefined)
    await eventually(() => assert.ok(spares(system).every((id) => !before.includes(id))))
    await warm(system, 2)
  }))

test('spares that cannot start are given up, until a process is isolated again', async () => {
  let opened = 0
  class NoMore extends SimulatedThreads {
    override isolated(): RunningThread {
      opened++
      const error = new Error('no room for a thread')
      return { ended: Promise.resolve({ kind: 'crashed', error }), kill: () => {} }
    }
  }
  const system = await startSimulated(
    { threads: 1, spares: 1 },
    setImmediate,
    (carrier: Carrier) => new NoMore(carrier),
  )
  await eventually(() => assert.is(opened, 3))
  await eventually(() => assert.is(system.threads().length, 2))
  await assert.rejects(system.spawn(guests, undefined, { thread: 'isolated' }), 'NOPROC', /no room for a thread/)
  await eventually(() => assert.is(opened, 7))
  await system.stop()
  assertNothingLeft(system)
})

const onSystem = { thread: 'system', monitor: true } as const
const bombs = { module: fixture('survivors'), export: 'bomb' }

const systemThreads = (system: ActorSystem): number[] =>
  system
    .threads()
    .filter(({ kind }) => kind === 'system')
    .map(({ id }) => id)

/** Ends the system thread with the guest on it; resolves when the guest is reported dead. */
async function strike(self: Process): Promise<void> {
  await self.spawn(bombs, 'process.exit', { thread: 'system' }).catch(() => {})
  await self.receive(isDown)
}

test('one waits for the place of a system thread once that runs a process, has its modules, and takes the place', async () => {
  using loads = new Loads()
  await withSystem({ threads: 1 }, async (system) => {
    const { self } = system
    await self.spawn(guests, self.pid, onSystem)
    await self.receive()
    for (let i = 0; i < 3; i++) {
      await warm(system, 1)
      await eventually(() => assert.is(loads.workers.size, i + 2))
      const [heir] = spares(system)
      const before = new Set(loads.workers)
      await strike(self)
      assert.equal(systemThreads(system), [heir])
      const pid = await self.spawn(guests, self.pid, onSystem)
      assert.is(pid.thread, heir)
      assert.ok(before.has(await self.receive((message) => typeof message === 'number')))
    }
  })
})

test('where none is ready, a place is taken all the same', () =>
  withSystem({ threads: 1 }, async (system) => {
    const { self } = system
    const seen = new Set<number>()
    for (let i = 0; i < 6; i++) {
      const pid = await self.spawn(guests, self.pid, onSystem)
      await self.receive((message) => typeof message === 'number')
      seen.add(pid.thread)
      await strike(self)
    }
    assert.is(seen.size, 6)
    await warm(system, 1)
    assert.is(system.threads().length, 3)
  }))

test('0 keeps none for a system thread either', () =>
  withSystem({ threads: 1, spares: 0 }, async (system) => {
    const { self } = system
    const { thread } = await self.spawn(guests, self.pid, onSystem)
    await self.receive()
    assert.is(system.threads().length, 2)
    await strike(self)
    assert.equal(systemThreads(system), [thread + 1])
  }))

test('one that has taken a place is found when it is stuck there', () =>
  withSystem({ threads: 1, stuckAfter: 400 }, async (system) => {
    const { self } = system
    await self.spawn(guests, self.pid, onSystem)
    await warm(system, 1)
    await strike(self)
    const [heir] = systemThreads(system)
    const pid = await self.spawn({ ...guests, export: 'squatter' }, self.pid, onSystem)
    assert.is(pid.thread, heir)
    assert.equal((await self.receive(isDown)).reason, { hostKilled: pid })
    assert.not.equal(systemThreads(system), [heir])
  }))

test('one that dies while it waits is made up for', async () => {
  let threads!: SimulatedThreads
  const system = await startSimulated({ threads: 1 }, setImmediate, (carrier: Carrier) => {
    threads = new SimulatedThreads(carrier)
    return threads
  })
  await system.spawn(guests, system.self.pid, { thread: 'system' })
  await warm(system, 1)
  const [first] = spares(system)
  threads.crash(first as number, new Error('a fault'))
  await eventually(() => assert.ok(spares(system).some((id) => id !== first)))
  const [heir] = spares(system)
  threads.crash(systemThreads(system)[0] as number, new Error('a fault'))
  await eventually(() => assert.equal(systemThreads(system), [heir]))
  await system.stop()
  assertNothingLeft(system)
})

test('stop leaves none, in whatever state they are', async () => {
  for (const ready of [0, 1, 2]) {
    const system = await ActorSystem.start({ threads: 1, spares: 2 })
    await eventually(() => assert.ok(spares(system).length >= ready))
    const inviting = ready === 2 ? invite(system.self).catch(() => undefined) : undefined
    await system.stop()
    await inviting
    assertNothingLeft(system)
  }
})

test.run()
