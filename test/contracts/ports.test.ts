import { once } from 'node:events'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Ending } from '../fixtures/contract-tasks.js'
import { assert, suite } from '../harness.js'

// What src/threads/port-link.ts and src/actors/graves.ts rely on: nothing overtakes a last message.
const test = suite('contract: message ports', { timeout: 60_000 })

const tasks = new URL('../fixtures/contract-tasks.js', import.meta.url).href
const rounds = 50
const count = 100

/** Everything a port says, the closing last. */
function listen(port: MessagePort): { heard: unknown[]; closed: Promise<unknown> } {
  const heard: unknown[] = []
  port.on('message', (message) => heard.push(message))
  port.on('close', () => heard.push('closed'))
  return { heard, closed: once(port, 'close') }
}

const all = [...Array(count).keys(), 'closed']

/** A bare worker that runs one of the tasks. */
function startWorker(port: MessagePort, how: Ending): Worker {
  const source = `
    const { workerData } = require('node:worker_threads')
    import(workerData.tasks).then((tasks) => tasks.postAndEnd(workerData))`
  const workerData = { tasks, port, count, how }
  return new Worker(source, { eval: true, workerData, transferList: [port] })
}

for (const how of ['throw', 'reject', 'throw in a timer', 'process.exit'] as const) {
  test(`a port closes after every message its worker had posted (${how}, ${rounds} runs)`, async () => {
    for (let round = 0; round < rounds; round++) {
      const { port1, port2 } = new MessageChannel()
      const { heard, closed } = listen(port1)
      const worker = startWorker(port2, how)
      worker.on('error', () => {})
      await Promise.all([closed, once(worker, 'exit').catch(() => {})])
      assert.equal(heard, all)
    }
  })
}

test(`a port closes after every message its worker had posted (terminated in a loop, ${rounds} runs)`, async () => {
  for (let round = 0; round < rounds; round++) {
    const { port1, port2 } = new MessageChannel()
    const { heard, closed } = listen(port1)
    const worker = startWorker(port2, 'loop')
    await once(port1, 'message')
    await worker.terminate()
    await closed
    assert.equal(heard.at(-1), 'closed')
    assert.equal(heard.slice(0, -1), [...Array(heard.length - 1).keys()])
  }
})

test(`a port closes after every message of a Piscina task that is aborted (${rounds} runs)`, async () => {
  const pool = new Piscina({ filename: tasks, minThreads: 0, maxThreads: 8, idleTimeout: 0, atomics: 'disabled' })
  pool.on('error', () => {})
  for (let round = 0; round < rounds; round++) {
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
  await pool.destroy()
})

test('two ports of a worker that dies both deliver all before they close', async () => {
  for (let round = 0; round < 20; round++) {
    const [one, two] = [new MessageChannel(), new MessageChannel()]
    const listeners = [listen(one.port1), listen(two.port1)]
    const source = `
      const { one, two } = require('node:worker_threads').workerData
      for (let i = 0; i < ${count}; i++) { one.postMessage(i); two.postMessage(i) }
      process.exit(1)`
    const workerData = { one: one.port2, two: two.port2 }
    const worker = new Worker(source, { eval: true, workerData, transferList: [one.port2, two.port2] })
    await Promise.all([once(worker, 'exit'), ...listeners.map(({ closed }) => closed)])
    for (const { heard } of listeners) assert.equal(heard, all)
  }
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
