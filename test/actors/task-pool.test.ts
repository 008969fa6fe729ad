import type { Process } from '../../src/actors/process.js'
import { ActorSystem } from '../../src/actors/system.js'
import { Task, type TaskWork } from '../../src/actors/task/task.js'
import { job, owner } from '../fixtures/tasks.js'
import { assert, eventually } from '../harness.js'
import { assertNothingLeft, stages } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const { test, run } = stages('tasks of the pool')

const patience = { timeout: 20_000 }

/** Awaits a task without a link, which cannot end the test's own process. */
const alone = <R>(self: Process, work: TaskWork<unknown, R>, args?: unknown): Promise<R> =>
  Task.asyncNolink<R, unknown>(self, work, args).await(patience)

test('what a function throws keeps its name, code and cause', async ({ self }) => {
  const { cause, details } = await assert.rejects(alone(self, job('raise')), 'NOPROC', /TypeError: too much/)
  const error = cause as Error & { code: string }
  assert.equal(
    [error.name, error.message, error.code, error.cause],
    ['TypeError', 'too much', 'E_MUCH', 'of everything'],
  )
  assert.match((details['reason'] as { error: { stack: string } }).error.stack, /tasks/)
})

test('what is no error, or cannot be sent, is a reason too, and the pool goes on', async ({ self }) => {
  await assert.rejects(alone(self, job('throwText')), 'NOPROC', /'no error'/)
  await assert.rejects(alone(self, job('unsendable')), 'NOPROC', /no message can carry/)
  await assert.rejects(alone(self, job('exitProcess')), 'NOPROC', /process\.exit\(7\)/)
  assert.is(await alone(self, job('square'), 3), 9)
})

test('a function that is not there, or no function, ends the task with BAD_ENTRY', async ({ self }) => {
  for (const name of ['missing', 'default']) {
    const { cause } = await assert.rejects(alone(self, job(name)), 'NOPROC', /has no export/)
    assert.is((cause as { code?: string }).code, 'BAD_ENTRY')
  }
  assert.throwsCode(() => Task.async(self, { module: './here.js' }), 'BAD_ENTRY', /relative/)
  assert.throwsCode(() => Task.async(self, job('square'), () => {}), 'NOT_CLONEABLE')
})

test('a signal ends a job in an endless loop, and one that waits', async ({ self }) => {
  const abort = new AbortController()
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const options = { signal: abort.signal, link: false }
  const tasks = [Task.async(self, job('loop'), flag, options)]
  for (let i = 0; i < 4; i++) tasks.push(Task.async(self, job('loop'), undefined, options))
  await eventually(() => Atomics.load(flag, 0) === 1, patience)
  abort.abort(new Error('enough'))
  for (const task of tasks) await assert.rejects(task.await(patience), 'NOPROC', /enough/)
  assert.is(await alone(self, job('square'), 4), 16)
})

test('a job ends with its owner', async (stage) => {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  let pid = stage.self.pid
  const owner = await stage.self.spawn(
    async (self) => {
      pid = Task.async(self, job('loop'), flag).pid
      await self.receive()
    },
    undefined,
    { monitor: true },
  )
  await eventually(() => Atomics.load(flag, 0) === 1, patience)
  stage.self.exit(owner, 'gone')
  await stage.reasonOf(owner)
  await eventually(() => !stage.system.isAlive(pid), patience)
  assert.is(await alone(stage.self, job('square'), 5), 25)
})

test('a job ends with an owner that returns, and one that was killed on another thread', async (stage) => {
  let pid = stage.self.pid
  const returns = await stage.self.spawn(
    async (self) => {
      pid = Task.async(self, job('loop')).pid
    },
    undefined,
    { monitor: true },
  )
  assert.is(await stage.reasonOf(returns), 'normal')
  await eventually(() => !stage.system.isAlive(pid), patience)
  for (const place of ['scheduler thread', 'isolated'] as const) {
    const scene = { boss: stage.self.pid, scene: 'jobs for ever' }
    const owned = await stage.spawn(place, owner, scene, { monitor: true }, 'tasks')
    assert.equal(await stage.hear(), { result: 'busy' })
    stage.self.exit(owned, 'kill')
    assert.is(await stage.reasonOf(owned), 'killed')
    // Both threads of the pool were busy.
    assert.is(await alone(stage.self, job('square'), 6), 36)
  }
})

test('buffers are moved to a job, and from it', async ({ self }) => {
  const buffer = new ArrayBuffer(64)
  const task = Task.async(self, job('sizeOf'), buffer, { transfer: [buffer] })
  assert.is(buffer.byteLength, 0)
  assert.is(await task.await(patience), 64)
  const [moved, copied] = await alone<ArrayBuffer[]>(self, job('twins'), 32)
  assert.equal([moved?.byteLength, copied?.byteLength], [32, 32])
})

test('more jobs than may wait are refused with OVERFLOW, and the others are done', async ({ self }) => {
  const abort = new AbortController()
  const blockers = Array.from({ length: 8 }, () =>
    Task.async(self, job('loop'), undefined, { signal: abort.signal, link: false }),
  )
  const tasks = Array.from({ length: 1100 }, (_, i) =>
    Task.async<number, number>(self, job('square'), i, { link: false }),
  )
  const refused = await tasks.at(-1)?.yield(patience)
  assert.match(JSON.stringify(refused), /OVERFLOW/)
  abort.abort('go on')
  const outcomes = await Promise.all(tasks.map((task) => task.yield({ timeout: 60_000 })))
  const done = outcomes.filter((outcome) => outcome !== undefined && 'value' in outcome)
  assert.is(done.length >= 1000 && done.length < 1100, true, `${done.length} were done`)
  assert.ok(outcomes.every((outcome, i) => outcome === undefined || !('value' in outcome) || outcome.value === i * i))
  for (const blocker of blockers) await blocker.yield(patience)
})

test('leaving a stream ends what runs, and its items are taken no further', async (stage) => {
  const before = stage.system.processes()
  let taken = 0
  let closed = false
  const items = function* () {
    try {
      for (;;) yield taken++
    } finally {
      closed = true
    }
  }
  const work = (n: number) => (n === 0 ? 0 : new Promise<number>(() => {}))
  for await (const outcome of Task.asyncStream(stage.self, items(), work, { maxConcurrency: 2 })) {
    assert.equal(outcome, { value: 0 })
    break
  }
  assert.is(closed, true)
  assert.ok(taken <= 3, `${taken} items were taken`)
  assert.equal(stage.system.processes(), before)
})

test('a stream can be left while its source is asked for an item that never comes', async (stage) => {
  const before = stage.system.processes()
  let asked = 0
  const never: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => (asked++ === 0 ? Promise.resolve({ done: false, value: 7 }) : new Promise(() => {})),
    }),
  }
  const same = (n: number) => n
  for await (const outcome of Task.asyncStream(stage.self, never, same, { maxConcurrency: 2 })) {
    assert.equal(outcome, { value: 7 })
    break
  }
  assert.is(asked, 2)
  const abort = new AbortController()
  const stream = Task.asyncStream(stage.self, never, same, { signal: abort.signal })
  const next = stream.next().catch((error: Error) => error.message)
  abort.abort(new Error('enough'))
  assert.is(await next, 'enough')
  assert.equal(stage.system.processes(), before)
})

test('a stream ends with the signal, with a source that throws, and with a task that takes too long', async ({
  self,
}) => {
  const drain = async (stream: AsyncIterable<unknown>) => {
    const seen: unknown[] = []
    for await (const outcome of stream) seen.push(outcome)
    return seen
  }
  const hang = () => new Promise<never>(() => {})
  await assert.rejects(drain(Task.asyncStream(self, [1], hang, { timeout: 1 })), 'CALL_TIMEOUT')
  const killed = Task.asyncStream(self, [1, 2], hang, { timeout: 1, onTimeout: 'kill_task' })
  assert.equal(await drain(killed), [{ exit: 'timeout' }, { exit: 'timeout' }])
  const abort = new AbortController()
  const aborted = drain(Task.asyncStream(self, [1], hang, { signal: abort.signal, timeout: Number.POSITIVE_INFINITY }))
  abort.abort(new Error('enough'))
  const seen = await aborted.catch((error: Error) => error.message)
  assert.is(seen, 'enough')
  const source = function* (): Generator<number> {
    yield 1
    throw new RangeError('no more')
  }
  assert.is(
    await drain(Task.asyncStream(self, source(), (n: number) => n)).catch((error: Error) => error.message),
    'no more',
  )
  for (const bad of [{ maxConcurrency: 0 }, { timeout: -1 }, { onTimeout: 'sleep' as 'exit' }])
    assert.throwsCode(() => Task.asyncStream(self, [1], hang, bad), 'INVALID_TYPE')
  assert.throwsCode(() => Task.asyncStream(self, 7 as never, hang), 'INVALID_TYPE', /an iterable/)
})

test('stop ends the jobs that run and those that wait, and the shell hears why', async () => {
  const system = await ActorSystem.start({ threads: 1, systemThreads: 1 })
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const tasks = [flag, undefined, undefined].map((arg) => Task.async(system, job('loop'), arg))
  const waits = tasks.map((task) => assert.rejects(task.await({ timeout: Number.POSITIVE_INFINITY }), 'STOPPED'))
  await eventually(() => Atomics.load(flag, 0) === 1, patience)
  await system.stop()
  await Promise.all(waits)
  assertNothingLeft(system)
  assert.throwsCode(() => Task.async(system, () => 1), 'STOPPED')
})

test('the shell goes on after the crash of its task, and hears of it', () =>
  withSystem({ threads: 1 }, async (system) => {
    const crash = Task.async(system, () => Promise.reject(new RangeError('too far')))
    await assert.rejects(crash.await(), 'NOPROC', /RangeError: too far/)
    assert.is(await Task.async(system, (n: number) => n + 1, 1).await(), 2)
  }))

test('a task has a name and a label, and may take the time of a shutdown to end', async ({ self, system }) => {
  const work = async (_: undefined, task: Process) => {
    task.trapExit = true
    await task.receive()
    return (await task.receive<{ reason: unknown }>()).reason
  }
  const task = Task.async(self, work, undefined, { name: 'worker', label: 'Busy' })
  await eventually(() => system.whereis('worker') !== undefined, patience)
  assert.equal(system.whereis('worker'), task.pid)
  assert.is((await system.info(task.pid))?.label, 'Busy')
  self.send('worker', 'go')
  assert.equal(await task.shutdown(), { value: 'shutdown' })
  assert.is(system.whereis('worker'), undefined)
  await assert.rejects(task.shutdown(-1), 'INVALID_TYPE')
})

run()
