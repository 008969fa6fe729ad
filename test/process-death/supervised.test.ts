import type { Pid } from '../../src/threads/pid.js'
import { dying, spinner } from '../fixtures/dying.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'
import { Family, pidsOf } from '../support/supervisors.js'

const { test, run } = stages('supervised processes and their threads', { killGrace: 50 })

const module = new URL('../fixtures/dying.js', import.meta.url)

const said = async ({ self }: Stage): Promise<Pid> =>
  (await self.receive<{ from: Pid }>(undefined, { timeout: 30_000 })).from

for (const how of ['process.exit', 'throw in a timer']) {
  test(`children of a thread that dies (${how}) are restarted, wherever it was`, async (stage) => {
    const family = new Family(stage, 'scheduler thread')
    const args = { to: stage.self.pid, how }
    const start = { entry: { module, export: dying.name }, args, options: { thread: 0 } }
    const sup = await family.start([{ id: 'dying', start }], { maxRestarts: 1 })
    const first = await said(stage)
    await sup.startChild(family.child('neighbour'))
    const neighbour = await family.started('neighbour')
    await sup.terminateChild('neighbour')
    stage.self.send(first, 'die')
    const second = await said(stage)
    assert.not.ok(second.equals(first))
    assert.not.ok(((await sup.restartChild('neighbour')) as Pid).equals(neighbour))
  })
}

test('a child that never lets go of its shared thread is ended all the same', async (stage) => {
  const family = new Family(stage, 'scheduler thread')
  const start = {
    entry: { module, export: spinner.name },
    args: { to: stage.self.pid, words: 1 },
    options: { thread: 1 },
  }
  const sup = await family.start([{ id: 'spinner', start, shutdown: 10 }])
  const pid = await said(stage)
  await sup.terminateChild('spinner')
  assert.not.ok(stage.system.isAlive(pid))
  assert.equal(await pidsOf(sup), { spinner: undefined })
})

run()
