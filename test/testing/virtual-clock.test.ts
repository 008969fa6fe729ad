import { VirtualClock } from '../../src/testing/index.js'
import { assert, suite } from '../harness.js'

const test = suite('VirtualClock')

/** A clock and a function that starts a timer on it which logs its name and the time. */
function logging() {
  const clock = new VirtualClock()
  const log: string[] = []
  const start = (name: string, ms: number) => clock.setTimeout(() => log.push(`${name} at ${clock.now()}`), ms)
  return { clock, log, start }
}

test('nothing happens until the hands are moved', () => {
  const { clock, log, start } = logging()
  start('a', 1)
  assert.equal([clock.now(), clock.pending, log], [0, 1, []])
  clock.advance(0.5)
  assert.equal([clock.now(), log], [0.5, []])
})

test('timers fire at their moment, those for the same moment in the order of their start', () => {
  const { clock, log, start } = logging()
  start('late', 30)
  start('first', 10)
  start('second', 10)
  clock.advance(29)
  assert.equal(log, ['first at 10', 'second at 10'])
  clock.advance(1)
  assert.equal(log.at(-1), 'late at 30')
  assert.equal([clock.now(), clock.pending], [30, 0])
})

test('a timer that a timer starts fires in the same move when it is due', () => {
  const { clock, log, start } = logging()
  clock.setTimeout(() => start('inner', 5), 10)
  clock.advance(14)
  assert.equal(log, [])
  clock.advance(1)
  assert.equal(log, ['inner at 15'])
})

test('a wait of no time is one of a millisecond, so that a timer cannot hold time still', () => {
  const { clock, log, start } = logging()
  let rounds = 0
  const again = () => {
    rounds++
    clock.setTimeout(again, 0)
  }
  again()
  start('nan', Number.NaN)
  clock.advance(10)
  assert.is(rounds, 11)
  assert.equal(log, ['nan at 1'])
})

test('a cleared timer does not fire, even when another one clears it at the same moment', () => {
  const { clock, log, start } = logging()
  clock.setTimeout(() => clock.clearTimeout(doomed), 10)
  const doomed = start('doomed', 10)
  clock.clearTimeout(start('gone', 5))
  clock.advance(20)
  assert.equal(log, [])
})

test('time goes neither back nor on for ever', () => {
  const { clock } = logging()
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => clock.advance(ms), /cannot be/)
})

test('it tells when its earliest timer is due, and goes there', () => {
  const { clock, log, start } = logging()
  assert.is(clock.due, Number.POSITIVE_INFINITY)
  start('a', 20.1)
  start('b', 10.2)
  clock.advance(0.1)
  assert.is(clock.due, 10.2)
  clock.advanceTo(clock.due)
  assert.equal([clock.due, log], [20.1, ['b at 10.2']])
  clock.advanceTo(1)
  assert.is(clock.now(), 10.2)
})

test.run()
