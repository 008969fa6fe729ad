import type { Process } from '../../src/actors/process.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'
import { Family } from '../support/supervisors.js'

const { test: onStage, run } = stages('dynamic supervisors')

const test = (title: string, scene: (family: Family) => Promise<void>): void =>
  onStage(title, (stage) => scene(new Family(stage, 'same thread')))

const idle = async (self: Process): Promise<void> => {
  await self.receive()
}

test('ten thousand children: started, crashed, counted and stopped', async (family) => {
  const { self, system } = family.stage
  const dyn = await family.dynamic({ maxRestarts: 20_000 })
  const pids: Pid[] = []
  for (let i = 0; i < 10_000; i++) pids.push((await dyn.startChild({ start: { entry: idle } })) as Pid)
  for (const pid of pids) self.exit(pid, 'kill')
  const all = { specs: 10_000, active: 10_000, supervisors: 0, workers: 10_000 }
  await eventually(async () => assert.equal(await dyn.countChildren(), all), { timeout: 40_000 })
  assert.not.ok(pids.some((pid) => system.isAlive(pid)))
  const second = (await dyn.whichChildren()).map(({ pid }) => pid as Pid)
  await dyn.stop()
  assert.not.ok(second.some((pid) => system.isAlive(pid)))
})

test('children need no id, and several may have one', async (family) => {
  const dyn = await family.dynamic()
  await dyn.startChild({ start: { entry: idle } })
  await dyn.startChild({ id: 'a', start: { entry: idle } })
  await dyn.startChild({ id: 'a', start: { supervisor: [] } })
  const children = await dyn.whichChildren()
  assert.equal(
    children.map(({ id, type }) => [id, type]),
    [
      [undefined, 'worker'],
      ['a', 'worker'],
      ['a', 'supervisor'],
    ],
  )
})

test('a child that ends normally is forgotten unless it is permanent', async (family) => {
  const dyn = await family.dynamic()
  const children = { permanent: 1, transient: 0, temporary: 0 }
  for (const restart of ['permanent', 'transient', 'temporary'] as const) {
    const pid = (await dyn.startChild(family.child(restart, { restart }))) as Pid
    await family.started(restart)
    family.ref(pid).cast.finish('normal')
    if (children[restart] === 1) await family.started(restart)
    await eventually(async () => (await dyn.countChildren()).specs === 1)
  }
})

test('a child that ignores its start is not kept', async (family) => {
  const dyn = await family.dynamic({ maxChildren: 1 })
  assert.is(await dyn.startChild(family.child('1', { init: 'ignore' })), undefined)
  assert.equal(await dyn.whichChildren(), [])
})

test('bad specifications and unknown children are refused', async (family) => {
  const dyn = await family.dynamic()
  await assert.rejects(() => dyn.startChild({} as never), 'INVALID_TYPE', /the child: start is undefined/)
  await assert.rejects(
    () => dyn.startChild({ id: 1, start: { entry: idle } } as never),
    'INVALID_TYPE',
    /id of a child/,
  )
  await assert.rejects(() => family.dynamic({ maxChildren: -1 }), 'INVALID_TYPE', /maxChildren is -1/)
  await assert.rejects(dyn.terminateChild('a' as never), 'NOT_FOUND')
})

test('more crashes than allowed end it with shutdown, and all children with it', async (family) => {
  const dyn = await family.dynamic({ maxRestarts: 0 })
  const [first, second] = [await dyn.startChild(family.child('1')), await dyn.startChild(family.child('2'))]
  family.stage.self.monitor(dyn.pid)
  family.stage.self.monitor(second as Pid)
  family.kill(first as Pid)
  assert.is(await family.reasonOf(second as Pid), 'shutdown')
  assert.is(await family.reasonOf(dyn.pid), 'shutdown')
})

run()
