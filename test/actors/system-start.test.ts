import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ActorSystem, type SystemOptions } from '../../src/actors/system.js'
import { SimulatedThreads, startSimulated } from '../../src/testing/simulated-threads.js'
import type { Pid } from '../../src/threads/pid.js'
import type { RunningThread, ThreadTask } from '../../src/threads/pools.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, eventually, suite } from '../harness.js'
import { onStage } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('start of a system', { timeout: 30_000 })

const puppets = { module: new URL('../fixtures/puppet.js', import.meta.url), export: puppet.name }

for (const [option, values] of [
  ['threads', [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', 5000]],
  ['systemThreads', [0, -1, 0.5, Number.NaN, '1', 5000]],
  ['maxProcesses', [0, -1, 10.5, Number.NaN, '100', 2 ** 40]],
  ['stuckAfter', [0, -1, Number.NaN, '100']],
  ['killGrace', [0, -1, Number.NaN, '100']],
] as const) {
  test(`${option} out of its range is refused`, async () => {
    for (const value of values) {
      const options = { threads: 1, [option]: value } as SystemOptions
      await assert.rejects(ActorSystem.start(options), 'INVALID_TYPE', new RegExp(`${option} is '?${value}'?: give`))
    }
  })
}

test('start gives the threads that were asked for, and a name in every pid', () =>
  withSystem({ name: 'alpha', threads: 3, systemThreads: 2 }, async (system) => {
    const kinds = system.threads().map(({ kind }) => kind)
    assert.equal(kinds.sort(), ['scheduler', 'scheduler', 'scheduler', 'system', 'system'])
    assert.match(String(system.self.pid), /^#PID<alpha\.0\./)
    assert.is(system.self, system.self)
    assert.equal(system.processes(), [system.self.pid])
  }))

test('start rejects when a thread cannot start, and the others do not stay', async () => {
  const ended: number[] = []
  const error = new Error('no room for a thread')
  class OneFails extends SimulatedThreads {
    override shared(task: ThreadTask): RunningThread {
      const { thread } = task.data as { thread: number }
      if (thread === 2) return { ended: Promise.resolve({ kind: 'crashed', error }), kill: () => {} }
      const running = super.shared(task)
      void running.ended.then(() => ended.push(thread))
      return running
    }
  }
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const starting = startSimulated({ threads: 2 }, setImmediate, (carrier) => new OneFails(carrier))
  await assert.rejects(starting, 'UNAVAILABLE', /could not start/)
  assert.match((await warned).message, /no room for a thread/)
  assert.equal(ended.sort(), [1, 3])
})

test('a system has room for maxProcesses: one more is refused, and fits when another has ended', () =>
  withSystem({ threads: 3, maxProcesses: 50 }, (system) =>
    onStage(system, async (stage) => {
      const pids: Pid[] = []
      const spawn = () => stage.self.spawn(puppets, stage.self.pid)
      while (system.processes().length < 50) pids.push(await spawn())
      await assert.rejects(spawn(), 'OVERFLOW', /larger maxProcesses/)
      await assert.rejects(stage.puppet('isolated'), 'OVERFLOW', /larger maxProcesses/)
      stage.self.exit(pids.pop() as Pid, 'kill')
      await eventually(() => system.processes().length < 50)
      pids.push(await spawn())
      for (const pid of pids) stage.self.exit(pid, 'kill')
    }),
  ))

test('a program ends by itself after stop, and prints nothing', async () => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    import { ActorSystem } from ${url('../../src/actors/system.js')}
    const system = await ActorSystem.start({ threads: 2 })
    const at = (thread) => system.spawn({ module: ${url('../fixtures/newborns.js')} }, system.self.pid, { thread })
    for (const thread of ['main', 0, 1, 'system', 'isolated']) await at(thread)
    system.self.sendAfter(system.self.pid, 'never', 60_000)
    await system.stop()`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  assert.equal([stdout, stderr], ['', ''])
})

test.run()
