import { once } from 'node:events'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Ending } from '../fixtures/contract-tasks.js'
import { assert, suite } from '../harness.js'

// What src/threads/port-link.ts and src/actors/graves.ts rely on: nothing overtakes a last message.
const test = suite('contract: message ports', { timeout: 60_000 })

const tasks = new URL('../fixtures/contract-tasks.js', import.meta.url).href
/** Starting a worker is what costs time: each is watched on several ports, as a system's are, and several at once. */
const deaths = 50
const ports = 4
const aborts = 50
const abreast = 4
const count = 100

async function times(runs: number, one: () => Promise<void>): Promise<void> {
  for (let done = 0; done < runs; done += abreast) await Promise.all(Array.from({ length: abreast }, one))
}

/** Everything a port says, the closing last. */
function listen(port: MessagePort): { port: MessagePort; heard: unknown[]; closed: Promise<unknown> } {
  const heard: unknown[] = []
  port.on('message', (message) => heard.push(message))
  port.on('close', () => heard.push('closed'))
  return { port, heard, closed: once(port, 'close') }
}

const all = [...Array(count).keys(), 'closed']

/** A bare worker that runs one of the tasks, posting on all its ports in turn, and what is heard of it on each. */
function startWorker(how: Ending): { worker: Worker; listeners: ReturnType<typeof listen>[] } {
  const source = `
    const { workerData } = require('node:worker_threads')
    const postMessage = (message) => { for (const port of workerData.far) port.postMessage(message) }
    import(workerData.tasks).then((tasks) => tasks.postAndEnd({ ...workerData, port: { postMessage } }))`
  const channels = Array.from({ length: ports }, () => new MessageChannel())
  const far = channels.map(({ port2 }) => port2)
  const listeners = channels.map(({ port1 }) => listen(port1))
  const worker = new Worker(source, { eval: true, workerData: { tasks, far, count, how }, transferList: far })
  return { worker, listeners }
}

for (const how of ['throw', 'reject', 'throw in a timer', 'process.exit'] as const) {
  test(`ports close after every message their worker had posted (${how}, ${deaths} runs)`, () =>
    times(deaths, async () => {
      const { worker, listeners } = startWorker(how)
      worker.on('error', () => {})
      await Promise.all([once(worker, 'exit').catch(() => {}), ...listeners.map(({ closed }) => closed)])
      for (const { heard } of listeners) assert.equal(heard, all)
    }))
}

test(`ports close after every message their worker had posted (terminated in a loop, ${deaths} runs)`, () =>
  times(deaths, async () => {
    const { worker, listeners } = startWorker('loop')
    await once(listeners.at(-1)?.port as MessagePort, 'message')
    await worker.terminate()
    await Promise.all(listeners.map(({ closed }) => closed))
    for (const { heard } of listeners) {
      assert.is(heard.at(-1), 'closed')
      assert.equal(heard.slice(0, -1), [...Array(heard.length - 1).keys()])
    }
  }))

test(`a port closes after every message of a Piscina task that is aborted (${aborts} runs)`, async () => {
  const pool = new Piscina({ filename: tasks, minThreads: 0, maxThreads: 8, idleTimeout: 0, atomics: 'disabled' })
  pool.on('error', () => {})
  const abortOne = async () => {
    const { port1, port2 } = new MessageChannel()
    const { heard, closed } = listen(port1)
    const abort = new AbortController()
    const task = { port: port2, count, how: 'loop' as const }
    const run = pool.run(task, { name: 'postAndEnd', transferList: [port2], signal: abort.signal }).catch(() => {})
    while (heard.length < count) await once(port1, 'message')
    abort.abort()
    await Promise.all([run, closed])
    assert.equal(heard, all)
  }
  await times(aborts, abortOne)
  await pool.destroy()
})

test('messages are read in the order in which they were posted, by event and by hand', async () => {
  const { port1, port2 } = new MessageChannel()
  for (let i = 0; i < 10; i++) port1.postMessage(i)
  assert.equal(receiveMessageOnPort(port2), { message: 0 })
  const { heard, closed } = listen(port2)
  port1.close()
  await closed
  assert.equal(heard, [1, 2, 3, 4, 5, 6, 7, 8, 9, 'closed'])
})

test('posting on a port whose other end is gone is harmless', async () => {
  const { port1, port2 } = new MessageChannel()
  const { closed } = listen(port1)
  port2.close()
  await closed
  port1.postMessage('nobody')
})

test('a port in a message is refused unless it is transferred, and nothing is sent', async () => {
  const [through, inside] = [new MessageChannel(), new MessageChannel()]
  assert.throws(() => through.port1.postMessage({ port: inside.port1 }), /transferList/)
  through.port1.postMessage('after')
  assert.equal(receiveMessageOnPort(through.port2), { message: 'after' })
  for (const { port1 } of [through, inside]) port1.close()
})

test.run()
