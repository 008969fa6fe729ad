import type { Process } from '../../src/actors/process.js'
import type { ActorSystem } from '../../src/actors/system.js'
import { DynamicSupervisor } from '../../src/supervisor/dynamic-supervisor.js'
import { Supervisor } from '../../src/supervisor/supervisor.js'
import type { Pid } from '../../src/threads/pid.js'
import { Context } from '../../src/variables/context.js'
import { ObserverManager } from '../../src/variables/observer-manager.js'
import { assert, eventually, suite } from '../harness.js'
import { withSystem } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const watchers = new URL('../fixtures/stuck-watcher.js', import.meta.url)
const often = { maxRestarts: Number.POSITIVE_INFINITY }
interface Born {
  readonly from: Pid
  readonly word: 'alive'
}
const isBorn = (message: unknown): message is Born => (message as { word?: unknown }).word === 'alive'
const isDown = (message: unknown): message is { pid: Pid; reason: unknown } =>
  (message as { type?: string }).type === 'DOWN'

const test = suite('storms of deaths', { timeout: 120_000 })

const heirs = (self: Process, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `heir ${i}`,
    start: { entry: { module, export: 'dying' }, args: { to: self.pid, how: 'throw' }, options: { thread: i % 2 } },
  }))

/** Lets children crash so often, and answers how many were born of it; each was seen to be another process. */
async function crash(self: Process, count: number): Promise<number> {
  const seen = new Set<string>()
  for (let i = 0; i < count; i++) {
    const { from } = await self.receive(isBorn)
    seen.add(from.toString())
    self.send(from, 'crash')
  }
  return seen.size
}

/** What a system holds for the process of its main thread, and in all. */
async function holdings(system: ActorSystem): Promise<unknown> {
  const info = await system.info(system.self.pid)
  return {
    processes: system.processes().length,
    threads: system.threads().filter(({ kind }) => kind !== 'spare').length,
    links: info?.links.length,
    monitors: info?.monitors.length,
    monitoredBy: info?.monitoredBy.length,
    queue: info?.messageQueueLength,
  }
}

test('10,000 crashes under a dynamic supervisor are 10,000 restarts', () =>
  withSystem({ threads: 2 }, async (system) => {
    const { self } = system
    const before = await holdings(system)
    const supervisor = await DynamicSupervisor.start(system, often)
    for (const spec of heirs(self, 50)) await supervisor.startChild(spec)
    assert.is(await crash(self, 10_000), 10_000)
    for (let i = 0; i < 50; i++) await self.receive(isBorn)
    assert.equal(await supervisor.countChildren(), { specs: 50, active: 50, supervisors: 0, workers: 50 })
    const info = await system.info(supervisor.pid)
    assert.equal([info?.links.length, info?.monitors.length, info?.messageQueueLength], [50, 0, 0])
    await supervisor.stop()
    assert.equal(await holdings(system), before)
  }))

test('2,000 crashes under a supervisor, whose children have names, are 2,000 restarts', () =>
  withSystem({ threads: 2 }, async (system) => {
    const { self } = system
    const before = await holdings(system)
    const specs = heirs(self, 20).map(({ id, start }) => ({
      id,
      start: { ...start, options: { ...start.options, name: id } },
    }))
    const supervisor = await Supervisor.start(system, specs, often)
    assert.is(await crash(self, 2000), 2000)
    const last = new Set<string>()
    for (let i = 0; i < 20; i++) last.add((await self.receive(isBorn)).from.toString())
    const named = specs.map(({ id }) => String(system.whereis(id)))
    assert.equal(new Set(named), last)
    await supervisor.stop()
    assert.ok(specs.every(({ id }) => system.whereis(id) === undefined))
    assert.equal(await holdings(system), before)
  }))

test('fifty endless loops, killed at one time: calls settle, observers go, each DOWN is the only one', () =>
  withSystem({ threads: 1 }, async (system) => {
    const { self } = system
    await using context = await Context.start(system, { id: 'watched' })
    const variable = await context.define('v', 'integer', 0)
    const observers = ObserverManager.of(system)
    const before = await holdings(system)
    const spawn = (name: string) =>
      self.spawn(
        { module: watchers, export: 'stuckWatcher' },
        { context: 'watched', to: self.pid },
        {
          thread: 'isolated',
          monitor: true,
          name,
        },
      )
    const names = Array.from({ length: 50 }, (_, i) => `loop ${i}`)
    const pids: Pid[] = []
    // Not all threads at one time: that would take their memory, and nothing is to be learnt of it.
    for (const name of names) pids.push(await spawn(name))
    for (const _ of pids) await self.receive((message) => message === 'watching')
    assert.is(await observers.count(variable.id), 50)
    await variable.set(1)
    for (const _ of pids) await self.receive((message) => message === 'stuck')
    const calls = pids.map((pid) => self.call(pid, 'anything', { timeout: Number.POSITIVE_INFINITY }))
    const settled = Promise.all(calls.map((call) => assert.rejects(call, 'NOPROC', /killed/)))
    for (const pid of pids) self.exit(pid, 'kill')
    const reasons = new Map<string, unknown>()
    for (const _ of pids) {
      const { pid, reason } = await self.receive(isDown)
      assert.not.ok(reasons.has(pid.toString()), 'a second DOWN')
      reasons.set(pid.toString(), reason)
    }
    assert.equal([...new Set(reasons.values())], ['killed'])
    await settled
    await eventually(async () => assert.is(await observers.count(variable.id), 0))
    assert.ok(names.every((name) => system.whereis(name) === undefined))
    await eventually(async () => assert.equal(await holdings(system), before))
    await variable.set(2)
    assert.is(await variable.get(), 2)
  }))

test.run()
