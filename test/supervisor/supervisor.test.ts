import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Process } from '../../src/actors/process.js'
import { Server } from '../../src/actors/server.js'
import type { ChildSpec } from '../../src/supervisor/child-spec.js'
import { DynamicSupervisor } from '../../src/supervisor/dynamic-supervisor.js'
import type { SupervisorOptions } from '../../src/supervisor/options.js'
import { Supervisor } from '../../src/supervisor/supervisor.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'
import { Family, pidsOf } from '../support/supervisors.js'

const { test: onStage, run } = stages('supervisors')

const test = (title: string, scene: (family: Family) => Promise<void>): void =>
  onStage(title, (stage) => scene(new Family(stage, 'scheduler thread')))

/** A process function that waits for nothing. */
const idle = async (self: Process): Promise<void> => {
  for await (const message of self.messages()) if (message === 'stop') return
}

const good = { id: 'a', start: { entry: idle } }

const wrong: [children: unknown, message: RegExp][] = [
  [undefined, /the list of children is undefined/],
  [[undefined], /a child is undefined: give \{ id, start/],
  [[{ ...good, id: undefined }], /the id of a child is undefined/],
  [[{ ...good, id: '' }], /the id of a child is ''/],
  [[{ ...good, start: undefined }], /child 'a': start is undefined: give \{ server \}/],
  [[{ ...good, start: {} }], /child 'a': start is \{\}/],
  [[{ ...good, start: { server: idle } }], /child 'a': start\.server is .* give a class that extends Server/],
  [[{ ...good, start: { entry: 'idle' } }], /child 'a': start\.entry is 'idle'/],
  [[{ ...good, start: { entry: idle, options: 1 } }], /child 'a': start\.options is 1/],
  [[{ ...good, start: { supervisor: 5 } }], /child 'a': the list of children is 5/],
  [[{ ...good, start: { dynamicSupervisor: { maxChildren: -1 } } }], /child 'a': maxChildren is -1/],
  [[{ ...good, restart: 'always' }], /child 'a': restart is 'always': give 'permanent' or 'transient' or 'temporary'/],
  [[{ ...good, shutdown: -1 }], /child 'a': shutdown is -1: give milliseconds/],
  [[{ ...good, shutdown: Number.NaN }], /child 'a': shutdown is NaN/],
  [[{ ...good, type: 'boss' }], /child 'a': type is 'boss'/],
  [[{ ...good, significant: 1 }], /child 'a': significant is 1/],
  [[{ ...good, significant: true }], /child 'a': significant is true: a permanent child/],
]

for (const [children, message] of wrong) {
  test(`children that are none are refused: ${message.source}`, async ({ stage }) => {
    await assert.rejects(() => Supervisor.start(stage.self, children as ChildSpec[]), 'INVALID_TYPE', message)
  })
}

const wrongOptions: [options: unknown, message: RegExp][] = [
  [null, /options is null/],
  [{ strategy: 'simple_one_for_one' }, /strategy is 'simple_one_for_one': give 'one_for_one' or/],
  [{ autoShutdown: true }, /autoShutdown is true/],
  [{ maxRestarts: -1 }, /maxRestarts is -1/],
  [{ maxRestarts: 1.5 }, /maxRestarts is 1\.5/],
  [{ maxSeconds: 0 }, /maxSeconds is 0/],
  [{ maxSeconds: '5' }, /maxSeconds is '5'/],
  [{ link: 1 }, /link is 1/],
  [{ backoff: 1 }, /backoff is 1/],
  [{ backoff: {} }, /backoff\.initial is undefined/],
  [{ backoff: { initial: 10, max: 5 } }, /backoff\.max is 5/],
  [{ backoff: { initial: 10, factor: 0.5 } }, /backoff\.factor is 0\.5/],
  [{ backoff: { initial: 10, jitter: 2 } }, /backoff\.jitter is 2/],
]

for (const [options, message] of wrongOptions) {
  test(`options that are none are refused: ${message.source}`, async ({ stage }) => {
    await assert.rejects(() => Supervisor.start(stage.self, [], options as SupervisorOptions), 'INVALID_TYPE', message)
  })
}

test('what starts or attaches must be a process, and what is attached to a pid or name', async ({ stage }) => {
  await assert.rejects(() => Supervisor.start({} as Process, []), 'INVALID_TYPE', /is no process/)
  assert.throwsCode(() => Supervisor.attach(stage.self, 5 as never), 'INVALID_TYPE', /5 is no supervisor/)
  await assert.rejects(Supervisor.attach(stage.self, 'nobody').countChildren(), 'NOPROC')
})

test('unknown ids are not found', async (family) => {
  const sup = await family.start([])
  for (const ask of [sup.terminateChild('x'), sup.restartChild('x'), sup.deleteChild('x')])
    await assert.rejects(ask, 'NOT_FOUND', /no child 'x'/)
})

test('a request that no handle makes is refused and harms nobody', async (family) => {
  const sup = await family.start([family.child('1')])
  const { self } = family.stage
  for (const request of [
    undefined,
    5,
    { kind: 'nonsense' },
    { kind: 'start' },
    { kind: 'start', parcel: { ticket: 9 } },
  ])
    await assert.rejects(self.call(sup.pid, request))
  self.send(sup.pid, 'hello')
  self.send(sup.pid, self.ref())
  self.cast(sup.pid, { kind: 'stop' })
  self.exit(sup.pid, 'normal')
  await self.system.self.system.info(sup.pid)
  assert.ok((await family.started('1')) !== undefined)
})

test('a child that fails in startChild is refused with its reason, and not kept', async (family) => {
  const sup = await family.start([])
  const spec = family.child('1', { init: { stop: 'nope' } })
  const { details } = await assert.rejects(sup.startChild(spec), 'NOPROC', /'1' could not be started: .*nope/)
  assert.equal(details, { id: '1', reason: 'nope' })
  assert.equal(await sup.whichChildren(), [])
})

test('startChild tells the pid, or nothing for a child that ignores its start', async (family) => {
  const sup = await family.start([])
  const pid = await sup.startChild(family.child('1'))
  assert.ok(pid?.equals(await family.started('1')))
  assert.is(await sup.startChild(family.child('2', { init: 'ignore' })), undefined)
  assert.is(await sup.startChild(family.child('3', { init: 'ignore', restart: 'temporary' })), undefined)
  assert.equal(Object.keys(await pidsOf(sup)), ['1', '2'])
})

class Local extends Server<{ heard: (word: string) => void }> {
  override init({ heard }: { heard: (word: string) => void }): void {
    heard('a class without a module')
  }
}

test('on the caller’s thread, children may be closures and classes without a module, with any arguments', async ({
  stage,
}) => {
  const words: string[] = []
  const heard = (word: string) => void words.push(word)
  const closure = async (self: Process, args: { heard: typeof heard }) => {
    args.heard('a closure')
    await self.receive()
  }
  const sup = await Supervisor.start(stage.self, [
    { id: 'closure', start: { entry: closure, args: { heard } } },
    { id: 'inner', start: { supervisor: [{ id: 'class', start: { server: Local, args: { heard } } }] } },
  ])
  await sup.startChild({ id: 'later', start: { server: Local, args: { heard } } })
  await eventually(() =>
    assert.equal(words.sort(), ['a class without a module', 'a class without a module', 'a closure']),
  )
  stage.self.exit((await pidsOf(sup))['later'] as Pid, 'kill')
  await eventually(() => assert.is(words.length, 4))
})

test('on another thread, its children must be able to travel, at any depth', async (family) => {
  const { stage } = family
  const options = { thread: 1 } as const
  const inner = { id: 'inner', start: { supervisor: [good] } }
  for (const children of [[good], [inner], [{ id: 'class', start: { server: Local } }]])
    await assert.rejects(Supervisor.start(stage.self, children, options), 'BAD_ENTRY', /cannot leave its thread/)
  const tree = { id: 'inner', start: { supervisor: [family.child('1')], options: { maxRestarts: 0 } } }
  const sup = await family.start([tree], options)
  assert.is.not(sup.pid.thread, stage.self.pid.thread)
  await assert.rejects(sup.startChild(good), 'BAD_ENTRY', /cannot leave its thread/)
  await sup.startChild(family.child('2'))
  family.kill(await family.started('1'))
  await family.started('1')
  family.kill(await family.started('2'))
  await family.started('2')
})

test('a tree whose inner supervisor is elsewhere than the outer one', async (family) => {
  const inner = { id: 'inner', start: { supervisor: [family.child('1')], options: { thread: 1 } } }
  const sup = await family.start([inner, { id: 'dyn', start: { dynamicSupervisor: { name: 'dyn' } } }])
  await family.started('1')
  const dyn = DynamicSupervisor.attach(family.stage.self, 'dyn')
  await dyn.startChild(family.child('2'))
  await family.started('2')
  const pids = await pidsOf(sup)
  assert.is.not((pids['inner'] as Pid).thread, sup.pid.thread)
  assert.ok(dyn.pid.equals(pids['dyn']))
  assert.equal(await sup.countChildren(), { specs: 2, active: 2, supervisors: 2, workers: 0 })
})

test('a failure deep in a tree is told with the way to it', async (family) => {
  const inner = { id: 'inner', start: { supervisor: [family.child('1', { init: { stop: 'nope' } })] } }
  const { details } = await assert.rejects(family.start([inner]), 'NOPROC')
  const reason = { shutdown: { failedToStartChild: { id: '1', reason: 'nope' } } }
  assert.equal(details['reason'], { shutdown: { failedToStartChild: { id: 'inner', reason } } })
})

test('a child’s name is free again when it is restarted, and so is a supervisor’s', async (family) => {
  const { system, self } = family.stage
  const { start, ...rest } = family.child('1')
  const named = { ...rest, start: { ...start, options: { thread: 0, name: 'worker' } } } as ChildSpec
  const inner = { id: 'inner', start: { supervisor: [named], options: { name: 'boss', maxRestarts: 0 } } }
  await family.start([inner])
  const boss = Supervisor.attach(self, 'boss')
  const before = boss.pid
  family.kill(await family.started('1'))
  const again = await family.started('1')
  assert.ok(again.equals(system.whereis('worker')))
  await eventually(async () => again.equals((await pidsOf(boss))['1']))
  assert.not.ok(boss.pid.equals(before))
})

test('a handle in another process serves as well', async (family) => {
  const { self } = family.stage
  const { pid } = await family.start([family.child('1')])
  const child = await family.started('1')
  await self.spawn(async (other) => {
    const sup = Supervisor.attach(other, pid)
    await sup.startChild({ id: 'closure', start: { entry: idle } })
    other.send(self.pid, { ids: Object.keys(await pidsOf(sup)) })
    await sup.stop()
  })
  self.monitor(pid)
  const answer = await self.receive<{ ids: string[] }>((message) => (message as { ids?: unknown }).ids !== undefined)
  assert.equal(answer.ids, ['1', 'closure'])
  assert.is(await family.reasonOf(pid), 'normal')
  assert.not.ok(family.stage.system.isAlive(child))
})

test('started by a system it is not linked, unless asked to be', async ({ stage: { system } }) => {
  const links = async (sup: Supervisor) => (await system.info(sup.pid))?.links.map(String)
  const free = await Supervisor.start(system, [])
  const tied = await Supervisor.start(system, [], { link: true })
  assert.equal(await links(free), [])
  assert.equal(await links(tied), [String(system.self.pid)])
  await Promise.all([free.stop(), tied.stop()])
})

test('stop ends with the given reason, and a supervisor that is dead is NOPROC', async (family) => {
  const sup = await family.start([family.child('1')])
  family.stage.self.monitor(sup.pid)
  const { pid } = sup
  await sup.stop({ my: 'reason' })
  assert.equal(await family.reasonOf(pid), { my: 'reason' })
  await assert.rejects(sup.stop(), 'NOPROC')
  await assert.rejects(sup.whichChildren(), 'NOPROC')
})

test('one that is ended at once, with normal, leaves no orphans', async (family) => {
  const sup = await family.start([family.child('1')])
  const child = await family.started('1')
  family.stage.self.monitor(child)
  await family.stage.self.stop(sup.pid)
  assert.is(await family.reasonOf(child), 'shutdown')
})

test('restarts and surrenders are told on a diagnostics channel', async (family) => {
  const told: unknown[] = []
  const listener = (event: unknown) => {
    const { type, id, reason } = event as Record<string, unknown>
    told.push([type, id, reason])
  }
  subscribe('beamline:supervisor', listener)
  try {
    const sup = await family.start([family.child('1')], { maxRestarts: 1 })
    family.stage.self.monitor(sup.pid)
    family.kill(await family.started('1'))
    family.kill(await family.started('1'))
    await family.reasonOf(sup.pid)
  } finally {
    unsubscribe('beamline:supervisor', listener)
  }
  assert.equal(told, [
    ['restart', '1', 'killed'],
    ['giveUp', '1', 'killed'],
  ])
})

run()
