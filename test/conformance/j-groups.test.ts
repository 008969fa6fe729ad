import { ProcessGroups } from '../../src/actors/groups/process-groups.js'
import type { GroupEvent } from '../../src/actors/groups/requests.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { each, run } = stages('J process groups', {}, 60_000)

/** Groups that end with the test. */
const groupsOf = (stage: Stage): Promise<ProcessGroups> => ProcessGroups.start(stage.self, { link: true })

each('J1 who joins twice is listed twice, and leaving once takes out one', async (stage, place) => {
  const groups = await groupsOf(stage)
  const { pid } = await stage.puppet(place)
  await groups.join('g', pid)
  await groups.join('g', pid)
  assert.equal(await groups.members('g'), [pid, pid])
  assert.is(await groups.leave('g', pid), true)
  assert.equal(await groups.members('g'), [pid])
})

each('J2 the dead vanish, and are in no answer once their DOWN was seen', async (stage, place) => {
  const groups = await groupsOf(stage)
  const { ref } = await groups.subscribe('g')
  for (let round = 0; round < 20; round++) {
    const one = await stage.puppet(place, { monitor: true })
    await groups.join('g', one.pid)
    one.tell('exitWith', 'bye')
    await stage.reasonOf(one.pid)
    assert.equal(await groups.members('g'), [])
    assert.equal(await groups.groups(), [])
    const event = (type: 'join' | 'leave'): GroupEvent => ({ type, ref, group: 'g', pid: one.pid })
    assert.equal([await stage.hear(), await stage.hear()], [event('join'), event('leave')])
  }
  assert.equal(await groups.members('nobody is in this'), [])
})

each('J3 leaving a group without having joined it is told, and is no fault', async (stage, place) => {
  const groups = await groupsOf(stage)
  const { pid } = await stage.puppet(place)
  assert.is(await groups.leave('g', pid), false)
  await groups.join('other', pid)
  assert.is(await groups.leave('g', pid), false)
  assert.equal(await groups.members('other'), [pid])
})

run()
