import type { Pid } from '../../src/threads/pid.js'
import { stillborn } from '../fixtures/newborns.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'

const { each, run } = stages('spawn with links and monitors')

const module = new URL('../fixtures/newborns.js', import.meta.url)

interface Introduction {
  readonly pid: Pid
}

each('B16 a link and a monitor made with the start see an instant death, every time', async (stage, place) => {
  stage.self.trapExit = true
  const [births, atOnce] = place === 'isolated' ? [30, 10] : [300, 50]
  for (let round = 0; round < births; round += atOnce) {
    const reasons = [...Array(atOnce).keys()].map((i) => `reason ${round + i}`)
    const spawn = (reason: string) => stage.spawn(place, stillborn, reason, { link: true, monitor: true }, 'newborns')
    const pids = await Promise.all(reasons.map(spawn))
    const expected = pids.flatMap((pid, i) => [`EXIT ${pid} ${reasons[i]}`, `DOWN ${pid} ${reasons[i]}`])
    const seen: string[] = []
    for (let i = 0; i < expected.length; i++) {
      const { type, pid, reason } = await stage.hear<{ type: string; pid: Pid; reason: string }>()
      seen.push(`${type} ${pid} ${reason}`)
    }
    assert.equal(seen.sort(), expected.sort())
  }
})

each('B16 a monitor may be made with a reference of before', async (stage, place) => {
  const ref = stage.self.ref()
  const pid = await stage.spawn(place, stillborn, 'boom', { monitor: ref }, 'newborns')
  assert.equal(await stage.hear(), { type: 'DOWN', ref, pid, reason: 'boom' })
})

each('B16 a link made with the start ends a parent that does not trap exits', async (stage, place) => {
  for (let i = 0; i < 10; i++) {
    const parent = await stage.puppet('same thread', { monitor: true })
    const thread = place === 'isolated' ? 'isolated' : place === 'same thread' ? 'main' : 0
    parent.tell('spawn', { module: module.href, export: 'stillborn' }, 'boom', { link: true, thread })
    assert.is(await stage.reasonOf(parent.pid), 'boom')
  }
})

each('B16 a child whose parent dies while it is born does not miss the death', async (stage, place) => {
  const thread = place === 'isolated' ? 'isolated' : place === 'same thread' ? 'main' : 0
  for (let i = 0; i < 5; i++) {
    const parent = await stage.puppet('scheduler thread', { thread: 1, monitor: true })
    parent.tell('all', [
      { move: 'spawn', args: [{ module: module.href, export: 'introduce' }, stage.self.pid, { link: true, thread }] },
      { move: 'exitWith', args: ['gone before'] },
    ])
    await stage.reasonOf(parent.pid)
    const { pid } = await stage.hear<Introduction>()
    await eventually(() => !stage.system.isAlive(pid))
  }
})

run()
