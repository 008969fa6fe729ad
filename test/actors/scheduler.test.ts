import { type Runnable, Scheduler } from '../../src/actors/scheduler.js'
import { assert, suite } from '../harness.js'
import { onStage } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('Scheduler')

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Work of several pieces that writes down when each is done. */
function work(name: string, pieces: number, done: string[]): Runnable {
  let piece = 0
  return {
    runOnce: () => {
      done.push(`${name}${++piece}`)
      return piece < pieces
    },
  }
}

test('work starts after the code that caused it, in the order in which it became ready', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  for (const name of ['a', 'b', 'c']) scheduler.enqueue(work(name, 1, done))
  assert.equal(done, [])
  await Promise.resolve()
  assert.equal(done, ['a1', 'b1', 'c1'])
})

test('what has more to do waits behind the others', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  scheduler.enqueue(work('a', 3, done))
  scheduler.enqueue(work('b', 2, done))
  await turn()
  assert.equal(done, ['a1', 'b1', 'a2', 'b2', 'a3'])
})

test('work that becomes ready while other work is done is done too', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  scheduler.enqueue({
    runOnce: () => {
      scheduler.enqueue(work('later', 1, done))
      done.push('first')
      return false
    },
  })
  await turn()
  assert.equal(done, ['first', 'later1'])
})

test('what becomes ready again while it runs, with others behind it, is queued once, and nothing is lost', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  let left = 3
  const restless: Runnable = {
    runOnce: () => {
      done.push('restless')
      if (--left === 0) return false
      scheduler.enqueue(restless)
      scheduler.enqueue(work(`a${left}`, 1, done))
      scheduler.enqueue(restless)
      scheduler.enqueue(work(`b${left}`, 1, done))
      return true
    },
  }
  scheduler.enqueue(restless)
  await turn()
  assert.equal(done, ['restless', 'restless', 'a21', 'b21', 'restless', 'a11', 'b11'])
})

test('drain does now what is ready, and nothing twice', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  scheduler.enqueue(work('a', 2, done))
  scheduler.drain()
  assert.equal(done, ['a1', 'a2'])
  await turn()
  assert.equal(done, ['a1', 'a2'])
})

test('thousands are done in order, over several turns of the event loop', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  for (let i = 0; i < 10_000; i++) scheduler.enqueue(work(`${i}:`, 1, done))
  await Promise.resolve()
  assert.is(done.length < 10_000, true, 'the event loop has had no turn')
  while (done.length < 10_000) await turn()
  assert.equal(
    done,
    Array.from({ length: 10_000 }, (_, i) => `${i}:1`),
  )
})

test('work without end starves neither timers nor other work', async () => {
  const scheduler = new Scheduler()
  const done: string[] = []
  let end = false
  scheduler.enqueue({ runOnce: () => !end })
  let fired = false
  setTimeout(() => {
    fired = true
  }, 1)
  while (!fired) await turn()
  scheduler.enqueue(work('other', 1, done))
  await turn()
  await turn()
  assert.equal(done, ['other1'])
  end = true
  await turn()
})

test('what is done outside the queue waits for a turn of the event loop when there is much of it', async () => {
  const scheduler = new Scheduler()
  let turned = false
  setImmediate(() => {
    turned = true
  })
  let admitted = 0
  while (scheduler.admits()) admitted++
  assert.is(admitted > 100, true)
  assert.is(turned, false)
  await new Promise<void>((resolve) => scheduler.postpone(resolve))
  assert.is(turned, true)
  assert.is(scheduler.admits(), true)
})

test('processes that never rest let timers and other processes of their thread run', () =>
  withSystem({ threads: 1 }, (system) =>
    onStage(system, async (stage) => {
      const restless = await stage.self.spawn(async (self) => {
        for (;;) {
          self.send(self.pid, 'again')
          await self.receive()
        }
      })
      stage.self.sendAfter(stage.self.pid, 'a timer', 1)
      assert.is(await stage.hear(), 'a timer')
      const other = await stage.puppet('same thread')
      assert.type(await other.do('ref'), 'object')
      stage.self.exit(restless, 'kill')
    }),
  ))

test.run()
