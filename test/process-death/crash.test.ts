import type { ErrorReason } from '../../src/actors/exit-reason.js'
import type { Process } from '../../src/actors/process.js'
import type { SpawnOptions } from '../../src/actors/spawner.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const test = suite('crashes', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

/** The exit reason of a process that ends like that. */
async function reasonOf(self: Process, how: string, options: SpawnOptions): Promise<unknown> {
  const pid = await self.spawn({ module, export: 'dying' }, { to: self.pid, how }, { ...options, monitor: true })
  await self.receive((message) => (message as { word?: string }).word === 'alive')
  self.send(pid, 'go')
  const isDown = (message: unknown): message is { reason: unknown } => (message as { type?: string }).type === 'DOWN'
  return (await self.receive(isDown)).reason
}

const small: SpawnOptions = { thread: 'isolated', resourceLimits: { maxOldGenerationSizeMb: 32 } }
const error = (reason: unknown) => (reason as ErrorReason).error

for (const [place, options] of [
  ['scheduler thread', { thread: 0 }],
  ['isolated', { thread: 'isolated' }],
] as const) {
  const crash = (title: string, how: string, check: (reason: unknown) => void) =>
    test(`${title} (${place})`, async () => {
      check(await reasonOf(system().self, how, options))
      // The place is fit for others.
      assert.is(error(await reasonOf(system().self, 'throw', options)).message, 'thrown')
    })

  crash('B3 a thrown error is the reason', 'throw', (reason) => {
    const { name, message, stack } = error(reason)
    assert.equal([name, message], ['TypeError', 'thrown'])
    assert.match(stack, /dying/)
  })
  crash('B3 so is a rejected promise', 'reject', (reason) => assert.is(error(reason).name, 'RangeError'))
  crash('B4 what is no error is described and kept', 'throw what is no error', (reason) => {
    assert.is(error(reason).value, 'a string')
    assert.match(error(reason).message, /no error was thrown: 'a string'/)
  })
  crash('B2 Exit ends with any term', 'exit', (reason) => assert.equal(reason, { my: ['reason', 1] }))
  crash('a stack overflow is an error like others', 'overflow the stack', (reason) => {
    assert.is(error(reason).name, 'RangeError')
  })
  crash('process.exit() ends the thread, and says so', 'process.exit', (reason) => {
    assert.match(error(reason).message, /process\.exit\(7\)/)
  })
  crash('K13 a rejection that nobody waits for ends the thread with it', 'let a promise float', (reason) => {
    assert.equal([error(reason).name, error(reason).message], ['RangeError', 'nobody waits'])
  })
  crash('a process may kill itself', 'kill itself', (reason) => assert.is(reason, 'killed'))
  crash('K13 an uncaught error in a timer ends the thread with that error', 'throw in a timer', (reason) => {
    assert.equal([error(reason).name, error(reason).message], ['RangeError', 'nobody is here'])
  })
}

test('an isolated process that runs out of its memory exits, and only it', async () => {
  const reason = await reasonOf(system().self, 'run out of memory', small)
  assert.is(error(reason).code, 'ERR_WORKER_OUT_OF_MEMORY')
  assert.equal(await reasonOf(system().self, 'exit', { thread: 0 }), { my: ['reason', 1] })
})

test.run()
