import { ProcessGroups } from '../../src/actors/groups/process-groups.js'
import { isDown } from '../../src/actors/messages.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('process groups')

/** Groups that end with the test. */
const groupsOf = (stage: Stage): Promise<ProcessGroups> => ProcessGroups.start(stage.self, { link: true })

const isEvent = (message: unknown): boolean => ['join', 'leave'].includes((message as { type: string }).type)

each('a process is in many groups, and leaves them all by its death', async (stage, place) => {
  const groups = await groupsOf(stage)
  const one = await stage.puppet(place, { monitor: true })
  for (let i = 0; i < 50; i++) await groups.join(['group', i], [one.pid, stage.self.pid])
  assert.is((await groups.groups()).length, 50)
  stage.self.exit(one.pid, 'kill')
  await stage.reasonOf(one.pid)
  for (let i = 0; i < 50; i++) assert.equal(await groups.members(['group', i]), [stage.self.pid])
  for (let i = 0; i < 50; i++) assert.is(await groups.leave(['group', i]), true)
  assert.equal(await groups.groups(), [])
})

each('a broadcast reaches every member, in the order in which it was sent', async (stage, place) => {
  const groups = await groupsOf(stage)
  const [one, other] = [await stage.puppet(place), await stage.puppet('scheduler thread', { thread: 1 })]
  await groups.join('g', [one.pid, other.pid, one.pid])
  const message = { n: 1 }
  const sending = groups.broadcast('g', message)
  message.n = 2
  assert.is(await sending, 3)
  assert.is(await groups.broadcast('g', { n: 3 }), 3)
  assert.is(await groups.broadcast('nobody', { n: 4 }), 0)
  const heard = [await stage.heardBy(one), await stage.heardBy(one), await stage.heardBy(one), await stage.heardBy(one)]
  assert.equal(heard, [{ n: 1 }, { n: 1 }, { n: 3 }, { n: 3 }])
  assert.equal([await stage.heardBy(other), await stage.heardBy(other)], [{ n: 1 }, { n: 3 }])
  await assert.rejects(
    groups.broadcast('g', () => {}),
    'NOT_CLONEABLE',
  )
})

each('a subscriber is told who is in, then of everybody who comes and goes', async (stage, place) => {
  const groups = await groupsOf(stage)
  const one = await stage.puppet(place, { monitor: true })
  await groups.join('g', one.pid)
  const { ref, members } = await groups.subscribe('g')
  const all = await groups.subscribe()
  assert.equal(members, [{ group: 'g', pid: one.pid }])
  assert.equal(all.members, members)
  await groups.join('g', stage.self.pid)
  await groups.join('other', one.pid)
  await groups.leave('g', stage.self.pid)
  one.tell('exitWith', 'bye')
  const heard: unknown[] = []
  while (heard.length < 7) heard.push(await stage.self.receive(isEvent))
  const event = (type: string, group: string, pid: Pid, of = ref) => ({ type, ref: of, group, pid })
  const own = stage.self.pid
  const expected = [
    ...[event('join', 'g', own), event('join', 'g', own, all.ref), event('join', 'other', one.pid, all.ref)],
    ...[event('leave', 'g', own), event('leave', 'g', own, all.ref)],
    ...[event('leave', 'g', one.pid), event('leave', 'g', one.pid, all.ref)],
  ]
  assert.equal(heard, expected)
  assert.equal(await stage.self.receive(isEvent), event('leave', 'other', one.pid, all.ref))
  for (const subscription of [ref, all.ref, ref]) await groups.unsubscribe(subscription)
  await groups.join('g')
  await groups.leave('g')
  await stage.reasonOf(one.pid)
  assert.equal(await stage.rest(), [])
})

test('groups harm nobody by their end, and a dead process does not join', async (stage) => {
  const groups = await ProcessGroups.start(stage.self, { name: 'scope' })
  await assert.rejects(ProcessGroups.start(stage.self, { name: 'scope' }), 'ALREADY_REGISTERED')
  const other = ProcessGroups.attach(stage.self, 'scope')
  await other.join('g')
  await other.join('g', await stage.dead())
  assert.equal(await groups.members('g'), [stage.self.pid])
  await groups.stop()
  await assert.rejects(groups.members('g'), 'NOPROC')
  await assert.rejects(groups.stop(), 'NOPROC')
  assert.throwsCode(() => ProcessGroups.attach(stage.self, 'scope'), 'NOPROC')
})

test('bad input is refused, and nobody has joined', async (stage) => {
  const groups = await groupsOf(stage)
  for (const group of [null, undefined, () => {}, new Date(0)] as never[]) {
    await assert.rejects(groups.join(group), 'INVALID_TYPE', /is no key/)
    await assert.rejects(groups.members(group), 'INVALID_TYPE')
  }
  const own = stage.self.pid
  for (const pids of ['name', [own, 1], null, {}] as never[]) {
    await assert.rejects(groups.join('g', pids), 'INVALID_TYPE', /give Pids/)
    await assert.rejects(groups.leave('g', pids), 'INVALID_TYPE', /give Pids/)
  }
  for (const request of ['what?', null, { kind: 'join', group: 'g' }, { kind: 'unsubscribe' }]) {
    await stage.self.call(groups.pid, request).catch(() => {})
    stage.self.cast(groups.pid, request)
    stage.self.send(groups.pid, request)
  }
  assert.equal(await groups.groups(), [])
})

each('a subscriber that dies is forgotten, with its groups’ monitor', async (stage, place) => {
  const groups = await groupsOf(stage)
  const one = await stage.puppet(place)
  const ref = stage.self.monitor(one.pid)
  await one.do('call', groups.pid, { kind: 'subscribe', group: 'g' })
  const monitors = async () => (await stage.system.info(groups.pid))?.monitors.length
  assert.is(await monitors(), 1)
  one.tell('leave')
  await stage.self.receive((message) => isDown(message) && ref.equals(message.ref))
  await groups.join('g')
  await groups.leave('g')
  await groups.members('g')
  await eventually(async () => assert.is(await monitors(), 0))
})

run()
