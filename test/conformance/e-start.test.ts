import type { Pid } from '../../src/threads/pid.js'
import { Clerk, employer } from '../fixtures/clerk.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('servers: starts that fail')

const isExit = (message: unknown): message is { pid: Pid; reason: unknown } =>
  (message as { type?: unknown }).type === 'EXIT'

/** What remains of the messages that are no words of a clerk. */
async function signalsLeft(stage: Stage): Promise<unknown[]> {
  return (await stage.rest()).filter((message) => typeof message !== 'string')
}

each('E2 an init that throws rejects the start, and a trapping parent gets the EXIT too', async (stage, place) => {
  stage.self.trapExit = true
  const starting = stage.start(place, Clerk, { boss: stage.self.pid, init: 'throws' }, { link: true })
  const { details } = await assert.rejects(starting, 'NOPROC', /no clerk today/)
  const { reason } = await stage.self.receive(isExit, { timeout: 0 })
  assert.equal(reason, details['reason'])
  assert.is((reason as { error: { name: string } }).error.name, 'RangeError')
})

each('E2b an init that throws ends a parent that does not trap exits', async (stage, place) => {
  const options = { monitor: true, ...(place === 'same thread' && { thread: 'main' as const }) }
  const parent = await stage.spawn(place, employer, { boss: stage.self.pid, init: 'throws' as const }, options, 'clerk')
  const reason = (await stage.reasonOf(parent)) as { error: { name: string; message: string } }
  assert.equal([reason.error.name, reason.error.message], ['RangeError', 'no clerk today'])
  assert.equal(await signalsLeft(stage), [], 'the parent has gone on')
})

each('E3 an init that stops rejects the start with its reason', async (stage, place) => {
  stage.self.trapExit = true
  const starting = stage.start(place, Clerk, { boss: stage.self.pid, init: 'stops' }, { link: true })
  assert.is((await assert.rejects(starting, 'NOPROC')).details['reason'], 'nope')
  assert.is((await stage.self.receive(isExit, { timeout: 0 })).reason, 'nope')
})

each('E4 an init that returns ignore ends the process with normal, and its parent lives', async (stage, place) => {
  const options = { link: true, monitor: true }
  const starting = stage.start(place, Clerk, { boss: stage.self.pid, init: 'ignores' }, options)
  assert.is((await assert.rejects(starting, 'NOPROC')).details['reason'], 'normal')
  const [down, ...more] = (await signalsLeft(stage)) as { type: string; reason: string }[]
  assert.equal([down?.type, down?.reason, more], ['DOWN', 'normal', []])
})

each('E23 a start that takes too long rejects, with its process dead and its name free', async (stage, place) => {
  const options = { name: 'late clerk', timeout: 20, link: true, monitor: true }
  const starting = stage.start(place, Clerk, { boss: stage.self.pid, init: 'waits' }, options)
  const { details } = await assert.rejects(starting, 'CALL_TIMEOUT', /the start of Clerk/)
  assert.is(details['timeout'], 20)
  assert.is(stage.system.whereis('late clerk'), undefined)
  const down = (await signalsLeft(stage)) as { pid: Pid; reason: string }[]
  // An isolated thread may not have come to its init by then; and a parent that was to be linked lives on.
  for (const { pid, reason } of down) assert.equal([reason, stage.system.isAlive(pid)], ['killed', false])
  const next = await stage.start(place, Clerk, { boss: stage.self.pid }, { name: 'late clerk' })
  assert.is(await next.file('one'), 1)
})

for (const patience of [1, 300]) {
  test(`E23 an isolated process that spins is ended in time (${patience} ms)`, async (stage) => {
    const before = stage.system.processes().length
    const options = { name: 'spinning clerk', timeout: patience, link: true }
    const starting = stage.start('isolated', Clerk, { boss: stage.self.pid, init: 'spins' }, options)
    await assert.rejects(starting, 'CALL_TIMEOUT')
    assert.is(stage.system.processes().length, before)
    assert.is(stage.system.whereis('spinning clerk'), undefined)
  })
}

test('E23 a process that spins on a shared thread is ended with it', async (stage) => {
  const options = { name: 'spinning clerk', timeout: 300 }
  const starting = stage.start('scheduler thread', Clerk, { boss: stage.self.pid, init: 'spins' }, options)
  await assert.rejects(starting, 'CALL_TIMEOUT')
  assert.is(stage.system.whereis('spinning clerk'), undefined)
})

each('E23 a process in time is not touched by the end of it', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid }, { timeout: 60_000, link: true })
  assert.is(await clerk.file('one'), 1)
})

each('E23 a process whose module never loads is given up', async (stage, place) => {
  const thread = place === 'isolated' ? 'isolated' : place === 'same thread' ? 'main' : 1
  const entry = { module: new URL('../fixtures/endless-module.js', import.meta.url), export: 'nobody' }
  const before = stage.system.processes().length
  await assert.rejects(stage.self.spawn(entry, undefined, { thread, timeout: 30, link: true }), 'CALL_TIMEOUT')
  assert.is(stage.system.processes().length, before)
})

test('E23 a timeout that is none is refused', async (stage) => {
  for (const timeout of [-1, Number.NaN, '5' as never]) {
    const starting = stage.start('same thread', Clerk, { boss: stage.self.pid }, { timeout })
    await assert.rejects(starting, 'INVALID_TYPE', /timeout/)
  }
  assert.equal(await stage.rest(), [])
})

run()
