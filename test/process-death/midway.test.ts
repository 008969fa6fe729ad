import type { SpawnOptions } from '../../src/actors/spawner.js'
import { dying } from '../fixtures/dying.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { type Puppet, places, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('death in the middle of a call')

const forEver = { timeout: Number.POSITIVE_INFINITY }
const ask = { move: 'ref', args: [] }

/** Waits until nothing joins a process to another one. */
async function free({ system }: Stage, { pid }: Pick<Puppet, 'pid'>, queue = 0): Promise<void> {
  await eventually(async () => {
    const info = await system.info(pid)
    const counts = [info?.links.length, info?.monitors.length, info?.monitoredBy.length, info?.messageQueueLength]
    assert.equal(counts, [0, 0, 0, queue])
  })
}

each('a caller that dies leaves nothing at its callee, whose answer is lost', async (stage, place) => {
  const callee = await stage.puppet(place)
  const caller = await stage.puppet(place, { monitor: true })
  caller.tell('call', callee.pid, { move: 'hold', args: [stage.self.pid] }, forEver)
  const held = await stage.called()
  stage.self.exit(caller.pid, 'kill')
  assert.is(await stage.reasonOf(caller.pid), 'killed')
  stage.self.reply(held, 'go on')
  await callee.do('ref')
  await free(stage, callee)
})

for (const how of ['throw', 'throw what is no error', 'reject', 'exit', 'overflow the stack', 'kill itself']) {
  each(`a call is rejected when its callee dies of it: ${how}`, async (stage, place) => {
    const pid = await stage.spawn(place, dying, { to: stage.self.pid, how }, { monitor: true }, 'dying')
    await stage.hear()
    const failed = await assert.rejects(stage.self.call(pid, 'go', forEver), 'NOPROC')
    assert.equal(failed.details['reason'], await stage.reasonOf(pid))
    await free(stage, stage.self)
  })
}

for (const how of ['process.exit', 'throw in a timer', 'let a promise float']) {
  each(
    `a call is rejected when its callee's thread dies of it: ${how}`,
    async (stage, place) => {
      const pid = await stage.spawn(place, dying, { to: stage.self.pid, how }, { monitor: true }, 'dying')
      await stage.hear()
      const failed = await assert.rejects(stage.self.call(pid, 'go', forEver), 'NOPROC')
      assert.equal(failed.details['reason'], await stage.reasonOf(pid))
      await free(stage, stage.self)
    },
    places.slice(1),
  )
}

test('a call is rejected when its callee runs out of its memory', async (stage) => {
  const options: SpawnOptions = { monitor: true, resourceLimits: { maxOldGenerationSizeMb: 16 } }
  const args = { to: stage.self.pid, how: 'run out of memory' }
  const pid = await stage.spawn('isolated', dying, args, options, 'dying')
  await stage.hear()
  await assert.rejects(stage.self.call(pid, 'go', forEver), 'NOPROC', /ERR_WORKER_OUT_OF_MEMORY|memory limit/)
  await stage.reasonOf(pid)
})

each(
  'a callee that is killed while it holds a call: the call is rejected, its late answer is lost',
  async (stage, place) => {
    const callee = await stage.puppet(place, { monitor: true })
    const call = stage.self.call(callee.pid, { move: 'hold', args: [stage.self.pid] }, forEver)
    const held = await stage.called()
    stage.self.exit(callee.pid, 'kill')
    const failed = await assert.rejects(call, 'NOPROC', /killed/)
    assert.is(failed.details['reason'], 'killed')
    assert.is(await stage.reasonOf(callee.pid), 'killed')
    stage.self.reply(held, 'too late')
    await free(stage, stage.self)
  },
)

/** Numbers from 0 to 1 that are the same for the same seed. */
function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`every call settles, whenever its callee is killed (seed ${seed})`, async (stage) => {
    const random = randoms(seed)
    const pick = <T>(among: readonly T[]): T => among[Math.floor(random() * among.length)] as T
    const killers = await Promise.all([0, 1].map((thread) => stage.puppet('scheduler thread', { thread })))
    const where = [
      ...Array.from({ length: 30 }, (_, i): SpawnOptions => ({ thread: i % 2 })),
      ...Array.from({ length: 3 }, (): SpawnOptions => ({ thread: 'isolated' })),
    ]
    const spawn = (options: SpawnOptions) => stage.spawn('scheduler thread', puppet, stage.self.pid, options)
    const callees = await Promise.all(where.map(spawn))
    const living = new Set(callees)
    const calls: Promise<string>[] = []
    while (living.size > 0) {
      for (let i = 0; i < 20; i++) {
        const call = stage.self.call(pick(callees), ask, forEver)
        calls.push(call.then(() => 'answered').catch((error) => error.code))
      }
      const victim = pick([...living])
      living.delete(victim)
      // From elsewhere: neither before nor after the calls.
      pick(killers).tell('exit', victim, 'kill')
    }
    const outcomes = await Promise.all(calls)
    assert.equal([...new Set(outcomes)].sort(), ['NOPROC', 'answered'])
    await free(stage, stage.self)
  })
}

run()
