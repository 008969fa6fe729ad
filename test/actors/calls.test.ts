import { type Asker, Calls } from '../../src/actors/calls.js'
import { BeamlineError } from '../../src/errors.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import { Ref } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'

const test = suite('Calls')

const owner = { openCalls: 0 }
const other = { openCalls: 0 }

test('a caller that dies leaves nothing behind, here or with its callee', async () => {
  const calls = new Calls(1, new VirtualClock())
  const forgotten: string[] = []
  const ask = (serial: number, by: Asker) =>
    calls.open(new Ref('node', 1, serial), {
      owner: by,
      thread: 2,
      what: `question ${serial}`,
      timeout: 100,
      abandoned: () => forgotten.push(`question ${serial}`),
    })
  const shell = assert.rejects(ask(1, owner), 'NOPROC')
  const living = ask(2, other)
  calls.dropOwner(owner, new BeamlineError('NOPROC', 'the shell exited'))
  await shell
  assert.equal(forgotten, ['question 1'])
  assert.equal([owner.openCalls, other.openCalls], [0, 1])
  assert.is(calls.size, 1)
  calls.settle(2, 'value', 'answer')
  assert.is(await living, 'answer')
  assert.is(calls.size, 0)
})

test('an answer that is here and waits its turn is in time', async () => {
  const clock = new VirtualClock()
  const calls = new Calls(1, clock)
  const answer = calls.open(new Ref('node', 1, 1), { thread: 2, what: 'the question', timeout: 100 })
  calls.arrived(1)
  await clock.advance(1000)
  calls.settle(1, 'value', 'late only in its turn')
  assert.is(await answer, 'late only in its turn')
})

test.run()
