import { Agent, type AgentOptions } from '../../src/actors/agent/agent.js'
import { closuresOf } from '../../src/actors/agent/closures.js'
import type { ProcessFn } from '../../src/actors/behaviour.js'
import type { Pid } from '../../src/threads/pid.js'
import { makeList, total } from '../fixtures/agent-functions.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('agents')
const module = new URL('../fixtures/agent-functions.js', import.meta.url)
const entry = (name: string) => ({ module, export: name })
const threads = { 'same thread': 'main', 'scheduler thread': 0, isolated: 'isolated' } as const

/** An agent made by a module's export, which ends with the test. */
async function listOf(stage: Stage, place: Place, options: AgentOptions = {}): Promise<Agent<number[]>> {
  const where = { thread: threads[place], args: [1, 2], link: true, ...options }
  return Agent.start<number[]>(stage.self, entry('makeList'), where)
}

/** The reason of its death, told by a monitor. */
async function endOf(stage: Stage, agent: { readonly pid: Pid }, work: () => Promise<unknown>) {
  stage.self.monitor(agent.pid)
  const refusal = await assert.rejects(work, 'NOPROC')
  return { refusal, reason: await stage.reasonOf(agent.pid) }
}

each('functions of a module are applied on whatever thread the agent is', async (stage, place) => {
  const agent = await listOf(stage, place)
  await agent.update(entry('append'), 3)
  await agent.update(entry('appendLater'), 4)
  agent.cast(entry('append'), 5)
  assert.is(await agent.get<number>(entry('total')), 15)
  assert.is(await agent.getAndUpdate<number>(entry('takeFirst')), 1)
  assert.is(await agent.get<number>(entry('total')), 14)
  await agent.stop()
  assert.is(stage.system.isAlive(agent.pid), false)
})

test('closures are applied on the agent’s own thread, by every process of it', async (stage) => {
  const agent = await Agent.start(stage.self, () => new Map<string, number>())
  await agent.update((scores) => scores.set('ann', 3))
  await agent.update((scores, name: string, points: number) => scores.set(name, points), 'bob', 4)
  agent.cast((scores) => scores.set('eve', 5))
  assert.equal(await agent.get((scores) => [...scores.values()]), [3, 4, 5])
  const popped = await agent.getAndUpdate((scores) => [scores.get('ann'), new Map<string, number>()])
  assert.is(popped, 3)
  const other = Agent.attach<Map<string, number>>(stage.system, agent.pid)
  assert.is(await other.get(async (scores) => scores.size), 0)
  await agent.stop('shutdown')
})

test('what a function gets and gives is a copy', async (stage) => {
  const agent = await listOf(stage, 'same thread')
  const args = [3, 4]
  const update = agent.update((list, more: number[]) => [...list, ...more], args)
  args.push(5)
  await update
  const seen = await agent.get((list) => list)
  seen.push(6)
  assert.is(await agent.get(total), 10)
  await agent.stop()
})

test('functions are applied one at a time, in order, and a promise is waited for', async (stage) => {
  const agent = await Agent.start(stage.self, (): string[] => [])
  const open: (() => void)[] = []
  const slow = agent.update((words) => new Promise<string[]>((resolve) => open.push(() => resolve([...words, 'slow']))))
  const fast = agent.update((words) => [...words, 'fast'])
  agent.cast((words) => [...words, 'told'])
  const all = agent.get((words) => words)
  await eventually(() => open.length > 0)
  open[0]?.()
  await Promise.all([slow, fast])
  assert.equal(await all, ['slow', 'fast', 'told'])
  await agent.stop()
})

each('a function that throws ends the agent, and its caller is told why', async (stage, place) => {
  stage.self.trapExit = true
  const agent = await listOf(stage, place)
  const { refusal, reason } = await endOf(stage, agent, () => agent.update(entry('fail')))
  assert.is((reason as { error: { code: string } }).error.code, 'E_ITEM')
  assert.match((refusal.cause as Error).message, /no such item/)
  await assert.rejects(agent.get(entry('total')), 'NOPROC')
  agent.cast(entry('append'), 1)
})

test('so does a promise that is rejected, and a pair that is none', async (stage) => {
  stage.self.trapExit = true
  const broken: ((agent: Agent<number[]>) => Promise<unknown>)[] = [
    (agent) => agent.get(() => Promise.reject(new RangeError('later'))),
    (agent) => agent.getAndUpdate(((list: number[]) => list.length) as never),
  ]
  for (const work of broken) {
    const agent = await listOf(stage, 'same thread')
    const { reason } = await endOf(stage, agent, () => work(agent))
    assert.match((reason as { error: { message: string } }).error.message, /later|is no pair: return \[reply, state\]/)
  }
})

each('an answer that cannot be sent is refused, and changes nothing', async (stage, place) => {
  const agent = await listOf(stage, place)
  await assert.rejects(agent.getAndUpdate(entry('unsendable')), 'NOT_CLONEABLE')
  assert.is(await agent.get<number>(entry('total')), 3)
  await agent.stop()
})

each('what is no function of a module is refused, and harms no agent', async (stage, place) => {
  const agent = await listOf(stage, place)
  await assert.rejects(agent.get(entry('nowhere')), 'BAD_ENTRY', /has no export 'nowhere'/)
  await assert.rejects(agent.update(entry('noFunction')), 'BAD_ENTRY', /no function/)
  await assert.rejects(agent.get({ module: './relative.js' }), 'BAD_ENTRY', /relative/)
  await assert.rejects(agent.get(undefined as never), 'BAD_ENTRY')
  await assert.rejects(agent.get(entry('total'), (() => {}) as never), 'NOT_CLONEABLE')
  assert.throwsCode(() => agent.cast(undefined as never), 'BAD_ENTRY')
  await assert.rejects(stage.self.call(agent.pid, 'what is no request'), 'NOT_FOUND')
  stage.self.send(agent.pid, 'what is no call')
  assert.is(await agent.get<number>(entry('total')), 3)
  await agent.stop()
})

test('a cast that cannot be done is a process warning, and harms no agent', async (stage) => {
  const agent = await listOf(stage, 'same thread')
  const told: string[] = []
  const listen = (warning: Error & { code?: string }) => warning.code === 'BEAMLINE_AGENT' && told.push(warning.message)
  process.on('warning', listen)
  try {
    agent.cast(entry('nowhere'))
    await eventually(() => told.length > 0)
  } finally {
    process.off('warning', listen)
  }
  assert.match(told[0] as string, /has no export 'nowhere'/)
  assert.is(await agent.get(total), 3)
  await agent.stop()
})

test('a closure for an agent elsewhere is refused, and says what to do', async (stage) => {
  const agent = await listOf(stage, 'scheduler thread')
  await assert.rejects(agent.get(total), 'BAD_ENTRY', /give \{ module, export \}/)
  assert.throwsCode(() => agent.cast((list) => list), 'BAD_ENTRY', /closure cannot leave its thread/)
  await assert.rejects(
    Agent.start(stage.self, () => 0, { thread: 0 }),
    'BAD_ENTRY',
  )
  await agent.stop()
})

test('a start that fails is told, and leaves nobody', async (stage) => {
  const failing = Agent.start(stage.self, entry('makeNothing'), { thread: 0 })
  assert.match(((await assert.rejects(failing, 'NOPROC')).cause as Error).message, /there is nothing/)
  const missing = Agent.start(stage.self, entry('nowhere'), { thread: 0 })
  assert.is(((await assert.rejects(missing, 'NOPROC')).cause as { code?: string }).code, 'BAD_ENTRY')
  await assert.rejects(Agent.start(undefined as never, makeList), 'INVALID_TYPE', /is no process/)
})

test('an agent has a name, and a handle is found by it', async (stage) => {
  const agent = await listOf(stage, 'scheduler thread', { name: 'the list' })
  await assert.rejects(listOf(stage, 'same thread', { name: 'the list' }), 'ALREADY_REGISTERED')
  assert.equal(Agent.attach(stage.self, 'the list').pid, agent.pid)
  await agent.stop()
  assert.throwsCode(() => Agent.attach(stage.self, 'the list'), 'NOPROC')
})

each('an agent can be suspended, and its state be looked at and replaced', async (stage, place) => {
  const agent = await listOf(stage, place)
  assert.equal(await stage.system.getState(agent.pid), [1, 2])
  await stage.system.suspend(agent.pid)
  const sum = agent.get<number>(entry('total'))
  await stage.system.replaceState(agent.pid, [5])
  await stage.system.resume(agent.pid)
  assert.is(await sum, 5)
  await agent.stop()
})

test('a caller that waits no longer is not noticed, and no closure is kept', async (stage) => {
  const agent = await Agent.start(stage.self, () => 0)
  const hasty = Agent.attach<number>(stage.self, agent.pid, { timeout: 1 })
  const open: (() => void)[] = []
  const blocked = agent.update((count) => new Promise<number>((resolve) => open.push(() => resolve(count + 1))))
  await assert.rejects(
    hasty.update((count) => count + 10),
    'CALL_TIMEOUT',
  )
  open[0]?.()
  await blocked
  assert.is(await agent.get((count) => count), 11)
  assert.is(closuresOf(stage.self).get(agent.pid.toString())?.size, 0)
  const unsendable = agent.get(
    (count, _part: unknown) => count,
    () => {},
  )
  await assert.rejects(unsendable, 'NOT_CLONEABLE')
  assert.is(closuresOf(stage.self).get(agent.pid.toString())?.size, 0)
  await agent.stop()
  assert.is(closuresOf(stage.self).has(agent.pid.toString()), false)
})

test('closures belong to the agents of one thread, whoever holds the handle there', async (stage) => {
  const agent = await Agent.start(stage.self, () => 1)
  const body: ProcessFn<undefined> = async (self) => {
    const own = Agent.attach<number>(self, agent.pid)
    self.send(stage.self.pid, await own.getAndUpdate((count) => [count, count + 1]))
  }
  await stage.spawn('same thread', body, undefined)
  assert.is(await stage.hear(), 1)
  assert.is(await agent.get((count) => count), 2)
  await agent.stop()
  await assert.rejects(agent.stop(), 'NOPROC')
})

run()
