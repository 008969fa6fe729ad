import { Deadlines } from '../../src/threads/deadlines.js'
import { assert, suite } from '../harness.js'

const test = suite('Deadlines')

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const armed = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

/** Resolves when `count` waits of `clock` are over, to the names they were given, in that order. */
function waits(clock: Deadlines, names: readonly (readonly [name: string, ms: number])[]): Promise<string[]> {
  const over: string[] = []
  return new Promise((resolve) => {
    for (const [name, ms] of names) {
      const callback = () => {
        over.push(name)
        if (over.length === names.length) resolve(over)
      }
      clock.setTimeout(callback, ms)
    }
  })
}

test('waits are over in order, none before its time', async () => {
  const clock = new Deadlines()
  const start = clock.now()
  const order = await waits(clock, [
    ['c', 30],
    ['a', 5],
    ['d', 30],
    ['b', 5],
  ])
  assert.equal(order, ['a', 'b', 'c', 'd'])
  assert.is(clock.now() - start >= 29, true)
})

test('what is cut short never calls, before and after the event loop has turned', async () => {
  const clock = new Deadlines()
  let calls = 0
  const call = () => calls++
  const [first, second, third] = [clock.setTimeout(call, 5), clock.setTimeout(call, 5), clock.setTimeout(call, 5)]
  clock.clearTimeout(second)
  await turn()
  clock.clearTimeout(first)
  clock.clearTimeout(first)
  await waits(clock, [['after', 10]])
  assert.is(calls, 1)
  clock.clearTimeout(third)
})

test('one that begins behind others of its length, which are cut short, has its whole time', async () => {
  const clock = new Deadlines()
  const early = clock.setTimeout(() => assert.unreachable('it was cut short'), 20)
  await waits(clock, [['half', 10]])
  const start = clock.now()
  const late = waits(clock, [['late', 20]])
  clock.clearTimeout(early)
  await late
  assert.is(clock.now() - start >= 19, true)
})

test('a thousand that wait are one timer, and nothing is left of it once none waits', async () => {
  const clock = new Deadlines()
  const before = armed()
  const timers = Array.from({ length: 1000 }, () => clock.setTimeout(() => {}, 60_000))
  await turn()
  assert.is(armed(), before + 1)
  for (const timer of timers) clock.clearTimeout(timer)
  await turn()
  assert.is(armed(), before)
})

test('what one callback throws keeps none behind it from its turn', async () => {
  const clock = new Deadlines()
  const thrown = new Promise((resolve) => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other)
      resolve(error)
    })
  })
  clock.setTimeout(() => {
    throw new Error('a bad callback')
  }, 5)
  assert.equal(await waits(clock, [['behind', 5]]), ['behind'])
  assert.instance(await thrown, Error)
})

test('a wait that is too short or no number is one of a millisecond, and one too long for Node is still a wait', async () => {
  const clock = new Deadlines()
  const long = clock.setTimeout(() => assert.unreachable('after 24 days'), 2 ** 40)
  await waits(clock, [
    ['none', 0],
    ['negative', -5],
    ['NaN', Number.NaN],
  ])
  clock.clearTimeout(long)
})

test.run()
