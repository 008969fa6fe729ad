import type { SpawnOptions } from '../../src/actors/spawner.js'
import type { Pid } from '../../src/threads/pid.js'
import introduce, { glutton, mirror } from '../fixtures/newborns.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('spawn', { spares: 0 })

const module = new URL('../fixtures/newborns.js', import.meta.url)

interface Introduction {
  readonly pid: Pid
  readonly parent: Pid
}

/** Spawns the default export of the newborns by name and says on which kind of thread it came to live. */
async function kindOf(stage: Stage, options: SpawnOptions): Promise<string> {
  const pid = await stage.self.spawn({ module }, stage.self.pid, options)
  const found = stage.system.threads().find(({ id }) => id === pid.thread)
  await stage.hear()
  stage.self.exit(pid, 'kill')
  return pid.thread === 0 ? 'main' : (found?.kind ?? 'gone')
}

test('an entry runs where it is told to', async (stage) => {
  assert.is(await kindOf(stage, {}), 'scheduler')
  assert.is(await kindOf(stage, { thread: 'auto' }), 'scheduler')
  assert.is(await kindOf(stage, { thread: 'main' }), 'main')
  assert.is(await kindOf(stage, { thread: 'system' }), 'system')
  assert.is(await kindOf(stage, { thread: 'isolated' }), 'isolated')
  for (const thread of [0, 1, 2, 7]) assert.is(await kindOf(stage, { thread }), 'scheduler')
})

test('auto takes the scheduler threads in turn, a number is taken modulo their count', async (stage) => {
  const pids: Pid[] = []
  for (let i = 0; i < 6; i++) pids.push(await stage.self.spawn({ module }, stage.self.pid))
  assert.is(new Set(pids.map(({ thread }) => thread)).size, 2)
  const [even, odd] = [
    await stage.puppet('scheduler thread', { thread: 0 }),
    await stage.puppet('scheduler thread', { thread: 3 }),
  ]
  const same = await stage.puppet('scheduler thread', { thread: 4 })
  assert.is(same.pid.thread, even.pid.thread)
  assert.is.not(odd.pid.thread, even.pid.thread)
  for (const pid of pids) stage.self.exit(pid, 'kill')
})

test('a module may be named by URL, text or path, an export by default or name', async (stage) => {
  for (const entry of [
    { module },
    { module: module.href },
    { module: module.pathname, export: 'default' },
    { module: module.href, export: 'introduce' },
  ]) {
    const pid = await stage.self.spawn(entry, stage.self.pid, { thread: 0 })
    const { parent } = await stage.hear<Introduction>()
    assert.equal(parent, stage.self.pid)
    stage.self.exit(pid, 'kill')
  }
})

test('a closure runs on the thread of its caller and shares its variables', async (stage) => {
  let ran: number | undefined
  const pid = await stage.self.spawn((self, value: number) => {
    ran = value
    self.send(stage.self.pid, 'ran')
  }, 7)
  await stage.hear()
  assert.is(pid.thread, 0)
  assert.is(ran, 7)
})

const badEntries: [title: string, what: unknown, options: SpawnOptions, message: RegExp][] = [
  ['a module that is not there', { module: new URL('./missing.js', module) }, {}, /cannot be loaded.*Cannot find/],
  ['a module that fails while it loads', { module: new URL('./broken-module.js', module) }, {}, /fails while it loads/],
  ['an export that is not there', { module, export: 'missing' }, {}, /no export 'missing'/],
  ['an export that is no function', { module, export: 'notAFunction' }, {}, /no function/],
]

for (const [title, what, options, message] of badEntries) {
  each(`BAD_ENTRY: ${title}`, async (stage, place) => {
    const thread = place === 'same thread' ? 'main' : place === 'isolated' ? 'isolated' : 0
    const spawned = stage.self.spawn(what as never, undefined, { thread, link: true, monitor: true, ...options })
    const { cause, details } = await assert.rejects(spawned, 'BAD_ENTRY', message)
    if (title.startsWith('a module')) assert.instance(cause, Error)
    assert.match(String(details['module']), /^file:/)
    assert.equal(await stage.rest(), [])
  })
}

for (const [title, what, options, message] of [
  ['a relative path', { module: './newborns.js' }, {}, /relative/],
  ['an empty module', { module: '' }, {}, /an entry is/],
  ['no module', {}, {}, /an entry is/],
  ['null', null, {}, /an entry is/],
  ['a number', 42, {}, /an entry is/],
  ['an export that is no text', { module, export: 7 }, {}, /an entry is/],
  ['a closure for a scheduler', () => {}, { thread: 0 }, /cannot leave its thread/],
  ['a closure for an isolated thread', () => {}, { thread: 'isolated' }, /cannot leave its thread/],
  ['a thread that is none', { module }, { thread: 'nowhere' }, /'nowhere' is no thread/],
  ['a negative thread', { module }, { thread: -1 }, /is no thread/],
  ['half a thread', { module }, { thread: 1.5 }, /is no thread/],
  ['limits for a shared thread', { module }, { resourceLimits: { maxOldGenerationSizeMb: 32 } }, /isolated/],
] as const) {
  test(`BAD_ENTRY: ${title}`, async ({ self }) => {
    await assert.rejects(self.spawn(what as never, undefined, options as SpawnOptions), 'BAD_ENTRY', message)
  })
}

each('a child knows its parent, wherever both are', async (stage, place) => {
  const parent = await stage.puppet('scheduler thread', { thread: 1 })
  const thread = place === 'isolated' ? 'isolated' : place === 'same thread' ? 'main' : 0
  const pid = await parent.do<Pid>('spawn', { module: module.href }, stage.self.pid, { thread })
  const introduction = await stage.hear<Introduction>()
  assert.equal([introduction.pid, introduction.parent], [pid, parent.pid])
  assert.equal((await stage.system.info(pid))?.parent, parent.pid)
  stage.self.exit(pid, 'kill')
  await eventually(() => !stage.system.isAlive(pid))
})

const elsewhere = ['scheduler thread', 'isolated'] as const

const copies = async (stage: Stage, place: Place) => {
  const list: unknown[] = ['given']
  const spawning = stage.spawn(place, mirror, { boss: stage.self.pid, list }, {}, 'newborns')
  list.push('changed by the parent')
  await spawning
  assert.equal(await stage.hear(), ['given'])
  assert.equal(await stage.hear(), ['given', 'changed by the child'])
  assert.equal(list, ['given', 'changed by the parent'])
}

each('arguments are copies, taken when spawn is called', copies, elsewhere)

test('arguments are copies on the same thread too, when the process is named by its module', async (stage) => {
  const list: unknown[] = ['given']
  const spawning = stage.self.spawn({ module, export: 'mirror' }, { boss: stage.self.pid, list }, { thread: 'main' })
  list.push('changed by the parent')
  await spawning
  assert.equal(await stage.hear(), ['given'])
  await stage.hear()
  assert.equal(list, ['given', 'changed by the parent'])
})

const refusal = async (stage: Stage, place: Place) => {
  const spawned = stage.spawn(place, introduce, { pid: { run() {} } } as never, {}, 'newborns')
  assert.is((await assert.rejects(spawned, 'NOT_CLONEABLE')).details['path'], 'pid.run')
}

each('arguments that cannot be sent are refused, with their path', refusal, elsewhere)

each(
  'arguments that only cloning refuses open no thread',
  async (stage, place) => {
    const before = stage.system.threads().length
    const boss = Object.assign({ boss: new Proxy({}, {}) }, stage.self.pid)
    await assert.rejects(stage.spawn(place, introduce, boss as never, {}, 'newborns'), 'NOT_CLONEABLE')
    assert.is(stage.system.threads().length, before)
  },
  elsewhere,
)

test('limits that are none are refused before a thread is opened', async ({ self, system }) => {
  const before = system.threads().length
  for (const resourceLimits of [null, 5, 'much', { maxOldGenerationSizeMb: '32' }]) {
    const spawned = self.spawn({ module }, self.pid, { thread: 'isolated', resourceLimits: resourceLimits as never })
    await assert.rejects(spawned, 'INVALID_TYPE', /an object of numbers/)
  }
  assert.is(system.threads().length, before)
})

test('an isolated process that takes too much memory dies of it, and nobody else does', async (stage) => {
  const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 }
  const pid = await stage.spawn('isolated', glutton, undefined, { monitor: true, resourceLimits }, 'newborns')
  const { error } = (await stage.reasonOf(pid)) as { error: { code: string } }
  assert.is(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
  assert.is(await kindOf(stage, { thread: 'isolated', resourceLimits }), 'isolated')
})

run()
