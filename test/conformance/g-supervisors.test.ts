import { assert, eventually } from '../harness.js'
import { type Place, stages } from '../support/stage.js'
import { Family, pidsOf, starts } from '../support/supervisors.js'

const { each: eachOf, run } = stages('G supervisors: starts, restarts, intensity', {}, 60_000)

const near: readonly Place[] = ['same thread', 'scheduler thread']

const each = (title: string, scene: (family: Family) => Promise<void>, among = near): void =>
  eachOf(title, (stage, place) => scene(new Family(stage, place)), among)

each('G1 children start in list order, each init done before the next starts', async (family) => {
  const starting = family.start([family.child('1', { ask: 'init' }), family.child('2'), family.child('3')])
  const goOn = await family.asked('1')
  assert.equal(await family.traces(), [])
  goOn()
  const sup = await starting
  assert.equal(await family.traces(), ['+1', '+2', '+3'])
  assert.equal(
    (await sup.whichChildren()).map(({ id }) => id),
    ['1', '2', '3'],
  )
})

each('G2 they are stopped in reverse order, one at a time, with shutdown', async (family) => {
  const asks = { trap: true, ask: 'terminate' } as const
  const sup = await family.start([family.child('1', asks), family.child('2', asks), family.child('3', asks)])
  await family.traces()
  const stopped = sup.stop()
  for (const id of ['3', '2', '1']) {
    const goOn = await family.asked(id)
    assert.equal(await family.traces(), [`-${id} "shutdown"`])
    goOn()
  }
  await stopped
  assert.equal(await family.traces(), [])
})

each(
  'G3 one_for_one: only the crashed child is restarted, with a new pid and fresh state',
  async (family) => {
    const sup = await family.start([family.child('1'), family.child('2')])
    const [first, second] = [await family.started('1'), await family.started('2')]
    assert.is(await family.ref(first).count(), 1)
    assert.is(await family.ref(second).count(), 1)
    family.crash(first, 'x')
    const again = await family.started('1')
    assert.not.ok(again.equals(first))
    assert.is(await family.ref(again).count(), 1)
    assert.is(await family.ref(second).count(), 2)
    assert.equal(await pidsOf(sup), { 1: again, 2: second })
    assert.equal(await family.traces(), ['-1 "x"'])
  },
  [...near, 'isolated'],
)

const trapping = (family: Family, ...ids: string[]) => ids.map((id) => family.child(id, { trap: true }))

each('G4 one_for_all: the others stop in reverse order, then all start in order', async (family) => {
  const sup = await family.start(trapping(family, '1', '2', '3'), { strategy: 'one_for_all' })
  const crashed = await family.started('2')
  await family.traces()
  family.kill(crashed)
  await eventually(async () => !crashed.equals((await pidsOf(sup))['2']))
  assert.equal(await family.traces(), ['-3 "shutdown"', '-1 "shutdown"', '+1', '+2', '+3'])
})

each('G5 rest_for_one: only later siblings stop, in reverse, and start again, in order', async (family) => {
  const sup = await family.start(trapping(family, '1', '2', '3', '4'), { strategy: 'rest_for_one' })
  const crashed = await family.started('2')
  await family.traces()
  family.kill(crashed)
  await eventually(async () => !crashed.equals((await pidsOf(sup))['2']))
  assert.equal(await family.traces(), ['-4 "shutdown"', '-3 "shutdown"', '+2', '+3', '+4'])
})

each('G6 permanent: restarted even after normal', async (family) => {
  await family.start([family.child('1')])
  const first = await family.started('1')
  family.ref(first).cast.finish('normal')
  assert.not.ok((await family.started('1')).equals(first))
})

each('G7 transient: not restarted after normal, shutdown and { shutdown }; after all else it is', async (family) => {
  const { self } = family.stage
  for (const reason of ['normal', 'shutdown', { shutdown: 1 }, 'boom', 'kill']) {
    const sup = await family.start([family.child('1', { restart: 'transient' })])
    const first = await family.started('1')
    self.monitor(first)
    if (reason === 'kill') family.kill(first)
    else family.ref(first).cast.finish(reason)
    await family.reasonOf(first)
    const restarted = reason === 'boom' || reason === 'kill'
    if (restarted) assert.not.ok((await family.started('1')).equals(first))
    else await eventually(async () => (await pidsOf(sup))['1'] === undefined)
    await sup.stop()
    assert.equal((await family.traces()).includes('+1'), false)
  }
})

each('G8 temporary: never restarted, and its specification is deleted', async (family) => {
  const sup = await family.start([family.child('1', { restart: 'temporary' })])
  family.crash(await family.started('1'), 'boom')
  await eventually(async () => (await sup.whichChildren()).length === 0)
  await sup.stop()
  assert.equal(await family.traces(), ['-1 "boom"'])
})

each('G8b transient that has ended normally keeps its specification, without a pid', async (family) => {
  const sup = await family.start([family.child('1', { restart: 'transient' })])
  family.ref(await family.started('1')).cast.finish('normal')
  await eventually(async () => (await pidsOf(sup))['1'] === undefined)
  assert.equal(await sup.whichChildren(), [
    { id: '1', pid: undefined, type: 'worker', restart: 'transient', significant: false },
  ])
})

each('G9 exactly maxRestarts are allowed; one more ends the supervisor with shutdown', async (family) => {
  const children = [family.child('1'), family.child('2', { trap: true })]
  const sup = await family.start(children, { maxRestarts: 2, maxSeconds: 3600 })
  const { pid } = sup
  family.stage.self.monitor(pid)
  for (let crash = 0; crash < 3; crash++) {
    const child = await family.started('1')
    assert.ok(family.stage.system.isAlive(pid))
    family.kill(child)
  }
  assert.is(await family.reasonOf(pid), 'shutdown')
  assert.equal(await family.traces(), ['+2', '-2 "shutdown"'])
})

each('G10 maxRestarts 0: the first crash ends the supervisor', async (family) => {
  const sup = await family.start([family.child('1')], { maxRestarts: 0 })
  family.stage.self.monitor(sup.pid)
  family.kill(await family.started('1'))
  assert.is(await family.reasonOf(sup.pid), 'shutdown')
})

each('G11 restarts older than maxSeconds do not count', (outer) =>
  outer.onClock(async (family, clock) => {
    const sup = await family.start([family.child('1')], { maxRestarts: 1, maxSeconds: 1 })
    family.kill(await family.started('1'))
    const second = await family.started('1')
    clock.advance(1001)
    family.kill(second)
    const third = await family.started('1')
    assert.equal(await pidsOf(sup), { 1: third })
    family.stage.self.monitor(sup.pid)
    family.kill(third)
    assert.is(await family.reasonOf(sup.pid), 'shutdown')
  }),
)

each('G12 a child that fails to start: those before it stop in reverse, later ones never start', async (family) => {
  const children = [...trapping(family, '1', '2'), family.child('3', { init: { stop: 'nope' } }), family.child('4')]
  const { details } = await assert.rejects(family.start(children), 'NOPROC')
  assert.equal(details['reason'], { shutdown: { failedToStartChild: { id: '3', reason: 'nope' } } })
  assert.equal(await family.traces(), ['+1', '+2', '+3', '-2 "shutdown"', '-1 "shutdown"'])
})

each('G19 a failed restart is tried again, and each try counts', async (family) => {
  const { memory, count } = starts()
  const child = family.child('1', { starts: memory, failing: [1, 2] })
  const sup = await family.start([child], { maxRestarts: 3, maxSeconds: 3600 })
  family.kill(await family.started('1'))
  const again = await family.started('1')
  assert.is(count(), 4)
  assert.equal(await pidsOf(sup), { 1: again })
  family.stage.self.monitor(sup.pid)
  family.kill(again)
  assert.is(await family.reasonOf(sup.pid), 'shutdown')
})

each('G19b tries exhaust the intensity: the supervisor ends with shutdown', async (family) => {
  const { memory, count } = starts()
  const child = family.child('1', { starts: memory, failing: [1, 50] })
  const sup = await family.start([child], { maxRestarts: 3, maxSeconds: 3600 })
  family.stage.self.monitor(sup.pid)
  family.kill(await family.started('1'))
  assert.is(await family.reasonOf(sup.pid), 'shutdown')
  assert.is(count(), 4)
})

each('G20 a child that ignores its start keeps its specification, without a pid', async (family) => {
  const sup = await family.start([family.child('1', { init: 'ignore' }), family.child('2')])
  assert.is((await pidsOf(sup))['1'], undefined)
  assert.equal(await sup.countChildren(), { specs: 2, active: 1, supervisors: 0, workers: 2 })
})

each('G23 a temporary sibling in one_for_all is stopped and not started again', async (family) => {
  const children = [family.child('1'), family.child('2', { restart: 'temporary' })]
  const sup = await family.start(children, { strategy: 'one_for_all' })
  const [first, second] = [await family.started('1'), await family.started('2')]
  family.stage.self.monitor(second)
  family.kill(first)
  assert.is(await family.reasonOf(second), 'shutdown')
  const again = await family.started('1')
  assert.equal(await pidsOf(sup), { 1: again })
  assert.equal(await family.traces(), [])
})

each('G30 one pass of one_for_all counts as one restart', async (family) => {
  const children = [family.child('1'), family.child('2'), family.child('3')]
  const sup = await family.start(children, { strategy: 'one_for_all', maxRestarts: 1, maxSeconds: 3600 })
  family.kill(await family.started('1'))
  await family.started('3')
  await family.started('3')
  assert.is((await sup.countChildren()).active, 3)
})

run()
