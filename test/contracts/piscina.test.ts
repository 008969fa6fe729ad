import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { assert, suite } from '../harness.js'

// What src/threads/pools.ts relies on. When Piscina is updated and one of these fails, that file needs a look.
const test = suite('contract: Piscina', { timeout: 30_000 })

const tasks = new URL('../fixtures/contract-tasks.js', import.meta.url).href

type Options = ConstructorParameters<typeof Piscina>[0]

async function withPool<T>(options: Options, body: (pool: Piscina, strays: Error[]) => Promise<T>): Promise<T> {
  const pool = new Piscina({
    filename: tasks,
    minThreads: 0,
    maxThreads: 4,
    idleTimeout: 0,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    recordTiming: false,
    ...options,
  })
  const strays: Error[] = []
  pool.on('error', (error) => strays.push(error))
  try {
    return await body(pool, strays)
  } finally {
    await pool.destroy()
  }
}

async function failureOf(run: Promise<unknown>): Promise<Error & { code?: string }> {
  return run.then(
    (value) => assert.unreachable(`resolved to ${value}`) as never,
    (error) => error,
  )
}

/** Starts a task that waits on a port, and tells its thread. */
async function waiting(pool: Piscina, signal?: AbortSignal) {
  const { port1, port2 } = new MessageChannel()
  const task = pool.run({ port: port2 }, { name: 'waitOn', transferList: [port2], ...(signal && { signal }) })
  const [thread] = await once(port1, 'message')
  return { port: port1, thread: thread as number, task }
}

test('aborting a task ends its worker, in an endless loop too', () =>
  withPool({}, async (pool) => {
    const abort = new AbortController()
    const created = once(pool, 'workerCreate')
    const looping = failureOf(pool.run('loop', { name: 'end', signal: abort.signal }))
    await created
    const destroyed = once(pool, 'workerDestroy')
    abort.abort('why')
    const error = await looping
    assert.is(error.name, 'AbortError')
    assert.is(error.cause, 'why')
    await destroyed
  }))

test('an abort before the worker runs the task rejects it too', () =>
  withPool({}, async (pool) => {
    const abort = new AbortController()
    const looping = failureOf(pool.run('loop', { name: 'end', signal: abort.signal }))
    abort.abort()
    assert.is((await looping).name, 'AbortError')
  }))

test('tasks with signals get a worker each, even while all are pending', () =>
  withPool({}, async (pool) => {
    const some = await Promise.all([1, 2, 3].map(() => waiting(pool, new AbortController().signal)))
    assert.is(new Set(some.map(({ thread }) => thread)).size, 3)
    for (const { port, task, thread } of some) {
      port.postMessage('end')
      assert.is(await task, thread)
    }
  }))

test('aborting one task leaves the others alone', () =>
  withPool({}, async (pool) => {
    const abort = new AbortController()
    const one = await waiting(pool, abort.signal)
    const other = await waiting(pool, new AbortController().signal)
    const ended = failureOf(one.task)
    abort.abort()
    await ended
    other.port.postMessage('end')
    assert.is(await other.task, other.thread)
  }))

test('a worker whose task has ended does not outlive it when idleTimeout is 0', () =>
  withPool({}, async (pool) => {
    const destroyed = once(pool, 'workerDestroy')
    await pool.run('return', { name: 'end' })
    await destroyed
    assert.is(pool.threads.length, 0)
  }))

test('an error that the task throws keeps its message and no code', () =>
  withPool({}, async (pool) => {
    const error = await failureOf(pool.run('throw', { name: 'end' }))
    assert.is(error.message, 'thrown by the task')
    assert.is(error.code, undefined, 'Piscina keeps codes now: reports of dead threads could be simpler')
  }))

test('process.exit rejects the task and names the code in the message', () =>
  withPool({}, async (pool) => {
    const error = await failureOf(pool.run('process.exit', { name: 'end' }))
    assert.match(error.message, /exited with code: 7/)
  }))

test('an uncaught error rejects the task with that error', () =>
  withPool({}, async (pool) => {
    const error = await failureOf(pool.run('throw in a timer', { name: 'end' }))
    assert.is(error.message, 'thrown by a timer')
  }))

test('a worker out of memory rejects with ERR_WORKER_OUT_OF_MEMORY and harms nobody else', () =>
  withPool({ resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } }, async (pool) => {
    const error = await failureOf(pool.run(undefined, { name: 'exhaust' }))
    assert.is(error.code, 'ERR_WORKER_OUT_OF_MEMORY')
    assert.type(await pool.run('return', { name: 'end' }), 'number')
  }))

test('a worker that dies idle is an error event, and no more than that', () =>
  withPool({ idleTimeout: 60_000 }, async (pool, strays) => {
    const died = once(pool, 'error')
    await pool.run(undefined, { name: 'dieIdle' })
    await died
    assert.is(strays[0]?.message, 'died idle')
    assert.type(await pool.run('return', { name: 'end' }), 'number')
  }))

test('destroy ends workers in endless loops and rejects their tasks', () =>
  withPool({}, async (pool) => {
    const { port1, port2 } = new MessageChannel()
    const looping = failureOf(
      pool.run({ port: port2, count: 1, how: 'loop' }, { name: 'postAndEnd', transferList: [port2] }),
    )
    await once(port1, 'message')
    await pool.destroy()
    assert.match((await looping).message, /[Tt]erminat/)
    assert.is(pool.threads.length, 0)
  }))

test.run()
