import { ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, suite } from '../harness.js'
import { Linked, stateAt } from './support/linked.js'
import { setEvent } from './support/scripted-session.js'

const test = suite('contexts that come back to a session')

test('after a resync to a lower revision all of its contexts hear of what follows', () => {
  const linked = new Linked()
  linked.attach(1, { seen: stateAt(10) })
  linked.created(10)
  // Has seen less: what the first has had comes once more, and is not told it.
  linked.attach(2, { seen: stateAt(8) })
  linked.snapshot(stateAt(3, 'second'), ResumeResult.RESUME_RESULT_NEW_INCARNATION)
  linked.batch(3, 4, setEvent(1, 4, 4))
  assert.equal(linked.told, [
    [1, 'resync', 3],
    [1, 'events', [4]],
    [2, 'events', [4]],
  ])
  assert.equal(linked.answers.get(2), { ...stateAt(3, 'second') })
})

test.run()
