import type { ChildSpec } from '../../src/supervisor/child-spec.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'
import { Family, pidsOf } from '../support/supervisors.js'

const { test, each, run } = stages('deaths around supervisors')
const dying = { module: new URL('../fixtures/dying.js', import.meta.url), export: 'dying' }

/** A supervisor whose child `a` has crashed and waits in its `init`, and the pid that it has now. */
async function restarting(family: Family, maxRestarts: number): Promise<{ sup: Supervisor; pid: Pid; go: () => void }> {
  const { stage } = family
  const begun = family.start([{ ...family.child('a', { ask: 'init' }) }], { maxRestarts })
  stage.self.reply(await stage.called(), 'go on')
  const first = await family.started('a')
  const sup = await begun
  family.crash(first, 'crashed')
  const from = await stage.called()
  return { sup, pid: from.pid, go: () => stage.self.reply(from, 'go on') }
}

each('a child dies again while it is being restarted: it is restarted once more', async (stage, place) => {
  const family = new Family(stage, place)
  const { sup, pid } = await restarting(family, 3)
  family.kill(pid)
  stage.self.reply(await stage.called(), 'go on')
  const third = await family.started('a')
  assert.equal(await pidsOf(sup), { a: third })
  assert.not.ok(stage.system.isAlive(pid))
  await sup.stop()
})

each('a child that dies in each of its restarts ends its supervisor', async (stage, place) => {
  const family = new Family(stage, place)
  const { sup, pid } = await restarting(family, 1)
  stage.self.monitor(sup.pid)
  family.kill(pid)
  assert.is(await stage.reasonOf(sup.pid), 'shutdown')
  assert.not.ok(stage.system.isAlive(pid))
})

each(
  'G22 a supervisor is killed while it restarts a child: the child that begins goes down with it',
  async (stage, place) => {
    const family = new Family(stage, place)
    const { sup, pid, go } = await restarting(family, 3)
    stage.self.monitor(pid)
    stage.self.monitor(sup.pid)
    family.kill(sup.pid)
    assert.is(await stage.reasonOf(sup.pid), 'killed')
    assert.is(await stage.reasonOf(pid), 'killed')
    go()
    await assert.rejects(sup.countChildren(), 'NOPROC')
  },
)

/** Grandchildren, whose pids are asked for once all have started. */
const tree = (family: Family, thread: 'main' | number): ChildSpec[] => [
  family.child('a'),
  { id: 'inner', start: { supervisor: [family.child('b'), family.child('c')], options: { thread } } },
]

async function family3(family: Family): Promise<Pid[]> {
  const pids: Pid[] = []
  for (const id of ['a', 'b', 'c']) pids.push(await family.started(id))
  for (const pid of pids) family.stage.self.monitor(pid)
  return pids
}

const free = ({ system }: Stage, names: readonly string[]) => names.every((name) => system.whereis(name) === undefined)

each('G22 a supervisor that is killed takes its children with it, and theirs', async (stage, place) => {
  const family = new Family(stage, place)
  const sup = await family.start(tree(family, 'main'), { name: 'top' })
  const pids = await family3(family)
  family.kill(sup.pid)
  const reasons: unknown[] = []
  for (const pid of pids) reasons.push(await stage.reasonOf(pid))
  // The inner one lives to see its parent's end, and stops its own children as ever.
  assert.equal(reasons, ['killed', 'shutdown', 'shutdown'])
  assert.ok(free(stage, ['top']))
})

test('children on another thread go down with the thread of their supervisor', async (stage) => {
  const family = new Family(stage, 'scheduler thread')
  const child = (id: string) => {
    const { start, ...spec } = family.child(id)
    return { ...spec, start: { ...start, options: { thread: 1, name: id } } } as ChildSpec
  }
  const sup = await family.start([child('a'), child('b')], { thread: 0, name: 'top' })
  const pids = [await family.started('a'), await family.started('b')]
  for (const pid of [...pids, sup.pid]) stage.self.monitor(pid)
  const killer = await stage.self.spawn(dying, { to: stage.self.pid, how: 'process.exit' }, { thread: 0 })
  await stage.self.receive((message) => (message as { word?: string }).word === 'alive')
  stage.self.send(killer, 'go')
  const why = await stage.reasonOf(sup.pid)
  for (const pid of pids) assert.equal(await stage.reasonOf(pid), why)
  assert.ok(free(stage, ['top', 'a', 'b']))
})

run()
