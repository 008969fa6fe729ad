import type { Process } from '../../src/actors/process.js'
import type { ActorSystem } from '../../src/actors/system.js'
import { SimulatedThreads, startSimulated } from '../../src/testing/simulated-threads.js'
import type { Carrier } from '../../src/threads/link.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk } from '../fixtures/desk.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, eventually, suite } from '../harness.js'
import { assertNothingLeft } from '../support/stage.js'

const test = suite('links, servers and deaths on simulated threads')

const puppets = { module: new URL('../fixtures/puppet.js', import.meta.url), export: puppet.name }
const everywhere = ['main', 0, 1, 'system', 'isolated'] as const

/** A simulated system, and the threads it runs on. */
async function simulated(body: (system: ActorSystem, self: Process, threads: SimulatedThreads) => Promise<void>) {
  let threads: SimulatedThreads | undefined
  const make = (carrier: Carrier) => {
    threads = new SimulatedThreads(carrier)
    return threads
  }
  const system = await startSimulated({ threads: 2 }, setImmediate, make)
  await body(system, system.self, threads as SimulatedThreads)
  await system.stop()
  assertNothingLeft(system)
}

const order = (move: string, ...args: unknown[]) => ({ move, args })

/** The next message of the type, from the process. */
async function death(self: Process, type: 'DOWN' | 'EXIT', pid: Pid): Promise<unknown> {
  const message = await self.receive((one) => {
    const { type: its, pid: whose } = one as { type?: string; pid?: unknown }
    return its === type && pid.equals(whose)
  })
  return (message as { reason: unknown }).reason
}

test('links, monitors, names and calls work between all of them', () =>
  simulated(async (system, self) => {
    self.trapExit = true
    for (const thread of everywhere) {
      const name = `on ${thread}`
      const pid = await self.spawn(puppets, self.pid, { thread, link: true, monitor: true, name })
      assert.equal(system.whereis(name), pid)
      assert.type(await self.call(name, order('ref')), 'object')
      assert.equal((await system.info(pid))?.links, [self.pid])
      self.send(pid, { told: order('exitWith', { why: [1] }) })
      assert.equal(await death(self, 'EXIT', pid), { why: [1] })
      assert.equal(await death(self, 'DOWN', pid), { why: [1] })
      assert.is(system.whereis(name), undefined)
    }
  }))

test('servers answer, refuse and fail', () =>
  simulated(async (_system, self) => {
    for (const thread of everywhere) {
      const desk = await self.start(Desk, { boss: self.pid }, { thread })
      assert.is(await desk.add('one'), 1)
      await assert.rejects(desk.no('not today'), 'CONSTRAINT')
      await assert.rejects(desk.fail('broken'), 'NOPROC', /broken/)
    }
    await assert.rejects(
      self.start(Desk, { boss: self.pid, init: 'throws' }, { thread: 'isolated' }),
      'NOPROC',
      /no desk/,
    )
  }))

test('processes on two simulated threads that had no link find each other', () =>
  simulated(async (_system, self) => {
    const pids = await Promise.all([0, 1, 2].map(() => self.spawn(puppets, self.pid, { thread: 'isolated' })))
    for (const from of pids) {
      for (const to of pids) {
        await self.call(from, order('send', to, 'hello'))
        const { by, heard } = await self.receive<{ by: Pid; heard: unknown }>()
        assert.ok(by.equals(to))
        assert.is(heard, 'hello')
      }
    }
    for (const pid of pids) self.exit(pid, 'kill')
  }))

test('the death of a thread is the death of all on it, after their last words, and a fresh thread takes its place', () =>
  simulated(async (system, self, threads) => {
    self.trapExit = true
    const pids = await Promise.all(
      [...Array(20).keys()].map(() => self.spawn(puppets, self.pid, { thread: 0, link: true, monitor: true })),
    )
    const elsewhere = await self.spawn(puppets, self.pid, { thread: 1 })
    for (const pid of pids) await self.call(elsewhere, order('monitor', pid))
    const waiting = self.call(pids[0] as Pid, order('receive'), { timeout: Number.POSITIVE_INFINITY })
    for (const pid of pids.slice(1)) self.send(pid, 'last words')
    for (const pid of pids.slice(1)) await self.receive((m) => (m as { by?: Pid }).by?.equals(pid) ?? false)
    const dead = (pids[0] as Pid).thread
    threads.crash(dead, new RangeError('the thread burst'))
    await assert.rejects(waiting, 'NOPROC', /the thread burst/)
    for (const pid of pids) {
      for (const type of ['EXIT', 'DOWN'] as const) {
        const { error } = (await death(self, type, pid)) as { error: { name: string; message: string } }
        assert.equal([error.name, error.message], ['RangeError', 'the thread burst'])
      }
      const heard = await self.receive((m) => (m as { by?: Pid }).by?.equals(elsewhere) ?? false)
      assert.is((heard as { heard: { type: string } }).heard.type, 'DOWN')
      assert.is(system.isAlive(pid), false)
    }
    await eventually(() => system.threads().length === 3)
    const fresh = await self.spawn(puppets, self.pid, { thread: 0 })
    assert.is.not(fresh.thread, dead)
    assert.type(await self.call(fresh, order('ref')), 'object')
  }))

test('what ran on a dead thread does nothing any more', () =>
  simulated(async (_system, self, threads) => {
    const pid = await self.spawn(puppets, self.pid, { thread: 0, monitor: true })
    const holding = self.call(pid, order('hold', self.pid), { timeout: Number.POSITIVE_INFINITY })
    const call = (await self.receive()) as { from: never }
    threads.crash(pid.thread, new Error('burst'))
    await assert.rejects(holding, 'NOPROC', /burst/)
    await death(self, 'DOWN', pid)
    self.reply(call.from, 'go on')
    self.send(pid, 'anybody?')
    const fence = await self.spawn(puppets, self.pid, { thread: 1 })
    await self.call(fence, order('ref'))
    await assert.rejects(self.receive(undefined, { timeout: 0 }), 'CALL_TIMEOUT')
  }))

test('kill of an isolated process is the end of its thread', () =>
  simulated(async (system, self) => {
    for (let i = 0; i < 20; i++) {
      const pid = await self.spawn(puppets, self.pid, { thread: 'isolated', monitor: true })
      self.exit(pid, 'kill')
      assert.is(await death(self, 'DOWN', pid), 'killed')
      await eventually(() => system.threads().every(({ id }) => id !== pid.thread))
    }
  }))

test('B16 a linked child whose module is still loading when the thread of its parent dies does not outlive it', () =>
  simulated(async (system, self, threads) => {
    const parent = await self.spawn(puppets, self.pid, { thread: 0 })
    const witness = await self.spawn(puppets, self.pid, { thread: 1 })
    await self.call(witness, order('monitor', parent))
    const before = system.processes().length
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const loading = new Promise<void>((resolve) =>
      Object.assign(globalThis, { slowModule: { loading: resolve, opened } }),
    )
    const module = new URL('../fixtures/slow-module.js', import.meta.url)
    const child = { module: module.href, export: 'sleeper' }
    self.send(parent, { told: order('spawn', child, undefined, { thread: 1, link: true }) })
    await loading
    threads.crash(parent.thread, new Error('burst'))
    assert.is(((await self.receive()) as { heard: { type: string } }).heard.type, 'DOWN')
    open()
    await import(module.href)
    await self.call(witness, order('ref'))
    assert.is(system.processes().length, before - 1)
  }))

test.run()
