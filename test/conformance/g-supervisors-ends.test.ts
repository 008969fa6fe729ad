import { Exit } from '../../src/actors/exit-reason.js'
import type { Process } from '../../src/actors/process.js'
import { Supervisor } from '../../src/supervisor/supervisor.js'
import { Pid } from '../../src/threads/pid.js'
import { deaf } from '../fixtures/traced.js'
import { assert, eventually } from '../harness.js'
import { type Place, places, stages } from '../support/stage.js'
import { Family, pidsOf, starts } from '../support/supervisors.js'

const { each: eachOf, run } = stages('G supervisors: stops, trees, dynamic supervisors', {}, 60_000)

const near: readonly Place[] = ['same thread', 'scheduler thread']

const each = (title: string, scene: (family: Family) => Promise<void>, among = near): void =>
  eachOf(title, (stage, place) => scene(new Family(stage, place)), among)

/** What a stop makes of a child's reason. */
async function reasonWhenStopped(family: Family, sup: Supervisor, id: string): Promise<unknown> {
  const pid = await family.started(id)
  family.stage.self.monitor(pid)
  await sup.stop()
  return family.reasonOf(pid)
}

each(
  'G13 brutal_kill: terminate is not called, and the reason is killed',
  async (family) => {
    const sup = await family.start([family.child('1', { trap: true, shutdown: 'brutal_kill' })])
    assert.is(await reasonWhenStopped(family, sup, '1'), 'killed')
    assert.equal(await family.traces(), [])
  },
  places,
)

each(
  'G14 a child that takes longer than its timeout after shutdown is killed, not before',
  (outer) =>
    outer.onClock(async (family, clock) => {
      const sup = await family.start([family.child('1', { trap: true, stubborn: true, shutdown: 80 })])
      const pid = await family.started('1')
      family.stage.self.monitor(pid)
      const stopped = sup.stop()
      assert.is(await family.terminated('1'), 'shutdown')
      clock.advance(79)
      await family.stage.puppet()
      assert.ok(family.stage.system.isAlive(pid))
      clock.advance(1)
      assert.is(await family.reasonOf(pid), 'killed')
      await stopped
    }),
  places,
)

each('G15 a child that does not trap exits dies at once of shutdown, without terminate', async (family) => {
  const sup = await family.start([family.child('1')])
  assert.is(await reasonWhenStopped(family, sup, '1'), 'shutdown')
  assert.equal(await family.traces(), [])
})

each('G16 terminateChild keeps the specification; restartChild and deleteChild need it stopped', async (family) => {
  const sup = await family.start([family.child('1')])
  const first = await family.started('1')
  for (const attempt of [() => sup.deleteChild('1'), () => sup.restartChild('1')]) {
    const { details } = await assert.rejects(attempt, 'ALREADY_EXISTS', /'1' is running/)
    assert.is(details['reason'], 'running')
  }
  await sup.terminateChild('1')
  assert.not.ok(family.stage.system.isAlive(first))
  assert.equal(await pidsOf(sup), { 1: undefined })
  assert.equal(await family.traces(), [])
  const second = await sup.restartChild('1')
  assert.ok(second?.equals(await family.started('1')))
  await sup.terminateChild('1')
  await sup.deleteChild('1')
  assert.equal(await sup.whichChildren(), [])
})

each('G17 startChild of an id that is there: already_started, or already_present', async (family) => {
  const sup = await family.start([family.child('1')])
  const pid = await family.started('1')
  const started = await assert.rejects(sup.startChild(family.child('1')), 'ALREADY_EXISTS')
  assert.is(started.details['reason'], 'already_started')
  assert.ok(pid.equals(started.details['pid']))
  await sup.terminateChild('1')
  const present = await assert.rejects(sup.startChild(family.child('1')), 'ALREADY_EXISTS')
  assert.equal(present.details, { id: '1', reason: 'already_present' })
  assert.equal(await family.traces(), [])
})

each('G18 an id that is twice in the list: nothing is started', async (family) => {
  await assert.rejects(family.start([family.child('1'), family.child('1')]), 'ALREADY_EXISTS', /two children .* '1'/)
  assert.equal(await family.traces(), [])
})

each(
  'G21 when its parent exits, a supervisor stops its children in order and exits for the same reason',
  async (family) => {
    const { self } = family.stage
    const children = [family.child('1', { trap: true }), family.child('2', { trap: true })]
    const parent = await self.spawn(async (parent: Process) => {
      const sup = await Supervisor.start(parent, children)
      parent.send(self.pid, sup.pid)
      await parent.receive()
      throw new Exit('parent_gone')
    })
    await family.started('2')
    const sup = (await self.receive((message) => message instanceof Pid)) as Pid
    self.monitor(sup)
    self.send(parent, 'die')
    assert.is(await family.reasonOf(sup), 'parent_gone')
    assert.equal(await family.traces(), ['+1', '-2 "shutdown"', '-1 "shutdown"'])
  },
)

each(
  'G22 a supervisor that is killed takes its children down: killed, or by terminate(killed)',
  async (family) => {
    const sup = await family.start([family.child('1', { trap: true }), family.child('2')])
    const [first, second] = [await family.started('1'), await family.started('2')]
    family.stage.self.monitor(first)
    family.stage.self.monitor(second)
    family.kill(sup.pid)
    assert.is(await family.reasonOf(second), 'killed')
    assert.is(await family.terminated('1'), 'killed')
    assert.is(await family.reasonOf(first), 'killed')
  },
  places,
)

each('G24 any_significant: the end of a significant child ends the supervisor with shutdown', async (family) => {
  const children = [
    family.child('1', { restart: 'transient', significant: true }),
    family.child('2', { trap: true }),
    family.child('3', { restart: 'transient' }),
  ]
  const sup = await family.start(children, { autoShutdown: 'any_significant' })
  family.stage.self.monitor(sup.pid)
  family.ref(await family.started('3')).cast.finish('normal')
  const first = await family.started('1')
  family.crash(first, 'boom')
  family.ref(await family.started('1')).cast.finish('normal')
  assert.is(await family.reasonOf(sup.pid), 'shutdown')
  assert.is(await family.terminated('2'), 'shutdown')
})

each('G24 all_significant: only the last end of a significant child does', async (family) => {
  const traits = { restart: 'temporary', significant: true } as const
  const sup = await family.start([family.child('1', traits), family.child('2', traits), family.child('3')], {
    autoShutdown: 'all_significant',
  })
  family.stage.self.monitor(sup.pid)
  family.crash(await family.started('1'), 'boom')
  await eventually(async () => (await sup.countChildren()).specs === 2)
  family.ref(await family.started('2')).cast.finish('normal')
  assert.is(await family.reasonOf(sup.pid), 'shutdown')
})

each('G25 a dynamic supervisor refuses more than maxChildren', async (family) => {
  const dyn = await family.dynamic({ maxChildren: 1 })
  await dyn.startChild(family.child('1'))
  const { details } = await assert.rejects(dyn.startChild(family.child('1')), 'OVERFLOW', /1 children/)
  assert.is(details['reason'], 'max_children')
})

each('G26 a dynamic supervisor stops all children at one time', async (family) => {
  const dyn = await family.dynamic()
  const ids = ['1', '2', '3', '4', '5']
  for (const id of ids) await dyn.startChild(family.child(id, { trap: true, ask: 'terminate' }))
  const stopped = dyn.stop()
  // None goes on before the last one has begun.
  const answers = await Promise.all(ids.map((id) => family.asked(id)))
  for (const goOn of answers) goOn()
  await stopped
})

each('G27 a dynamic child is terminated by its pid, and not restarted; others are not found', async (family) => {
  const dyn = await family.dynamic()
  const pid = (await dyn.startChild(family.child('1'))) as Pid
  await dyn.terminateChild(pid)
  assert.equal(await dyn.whichChildren(), [])
  assert.equal(await family.traces(), ['+1'])
  await assert.rejects(dyn.terminateChild(pid), 'NOT_FOUND')
  await assert.rejects(dyn.terminateChild(await family.stage.dead()), 'NOT_FOUND', /no child of this supervisor/)
})

each(
  'G28 a dynamic child is restarted with its first arguments, and has a new pid',
  async (family) => {
    const dyn = await family.dynamic()
    const first = (await dyn.startChild(family.child('orig'))) as Pid
    await family.started('orig')
    family.kill(first)
    const second = await family.started('orig')
    assert.not.ok(second.equals(first))
    assert.equal((await dyn.whichChildren())[0]?.pid, second)
  },
  places,
)

each('G29 a supervisor that gives up is restarted by its parent, with all its children', async (family) => {
  const inner = {
    id: 'inner',
    start: { supervisor: [family.child('1'), family.child('2')], options: { maxRestarts: 0 } },
  }
  const sup = await family.start([inner])
  const before = (await pidsOf(sup))['inner'] as Pid
  const first = await family.started('1')
  const second = await family.started('2')
  family.kill(first)
  assert.not.ok((await family.started('1')).equals(first))
  assert.not.ok((await family.started('2')).equals(second))
  assert.not.ok(before.equals((await pidsOf(sup))['inner']))
  assert.equal(await sup.countChildren(), { specs: 1, active: 1, supervisors: 1, workers: 0 })
})

each('G (src) a child that has undone its link cannot hang its supervisor', async (family) => {
  const boss = family.stage.self.pid
  const unlinked = { id: 'deaf', start: { entry: deaf, args: { boss, id: 'deaf' } }, shutdown: 20 }
  const sup = await family.start([unlinked, family.child('2')])
  const [first, second] = [await family.started('deaf'), await family.started('2')]
  await family.ref(second).unlinked()
  family.stage.self.monitor(first)
  family.stage.self.monitor(second)
  await sup.stop()
  assert.is(await family.reasonOf(first), 'killed')
  assert.is(await family.reasonOf(second), 'shutdown')
})

each('G (src) between the tries of a restart that fails, the supervisor answers', async (family) => {
  const { memory, count } = starts()
  const child = family.child('1', { starts: memory, failing: [1, 1_000_000] })
  const sup = await family.start([child], { maxRestarts: 1_000_000 })
  family.kill(await family.started('1'))
  await eventually(() => count() > 3)
  assert.equal(await pidsOf(sup), { 1: 'restarting' })
  const { details } = await assert.rejects(sup.restartChild('1'), 'ALREADY_EXISTS')
  assert.is(details['reason'], 'restarting')
  await sup.terminateChild('1')
  const tries = count()
  assert.equal(await pidsOf(sup), { 1: undefined })
  await family.stage.puppet('same thread')
  assert.is(count(), tries)
})

run()
