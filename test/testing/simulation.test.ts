import { Simulation, type SimulationOptions } from '../../src/testing/index.js'
import type { Pid } from '../../src/threads/pid.js'
import { Context } from '../../src/variables/context.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, suite } from '../harness.js'
import { assertNothingLeft } from '../support/stage.js'

const test = suite('Simulation')

const puppets = { module: new URL('../fixtures/puppet.js', import.meta.url), export: puppet.name }
const order = (move: string, ...args: unknown[]) => ({ move, args })

type Body = (simulation: Simulation) => unknown

async function simulated(options: SimulationOptions, body: Body): Promise<readonly string[]> {
  const simulation = await Simulation.start(options)
  await simulation.run(() => body(simulation))
  await simulation.stop()
  assertNothingLeft(simulation.system)
  return simulation.trace
}

const words = [0, 1, 2, 3, 4]

/** Two puppets on two threads flood the test's own process; answers whose words came in which order. */
async function flooded({ system }: Simulation): Promise<number[]> {
  const { self } = system
  const pids = await Promise.all([0, 1].map((thread) => self.spawn(puppets, self.pid, { thread })))
  for (const pid of pids)
    self.send(pid, {
      told: order(
        'all',
        words.map((n) => sending(pid, self.pid, n)),
      ),
    })
  const heard: { by: Pid; word: number }[] = []
  while (heard.length < 10) heard.push(await self.receive())
  for (const pid of pids) {
    const said = heard.filter(({ by }) => by.equals(pid)).map(({ word }) => word)
    assert.equal(said, words)
  }
  return heard.map(({ by }) => by.thread)
}

const sending = (by: Pid, to: Pid, word: number) => order('send', to, { by, word })

test('one seed gives one run, another seed another; no order between two processes is ever changed', async () => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const runs: string[] = []
    for (let i = 0; i < 2; i++) {
      const trace = await simulated({ seed }, async (simulation) => {
        const heard = String(await flooded(simulation))
        orders.add(heard)
        runs.push(heard)
      })
      runs.push(trace.join('\n'))
    }
    assert.equal(runs.slice(0, 2), runs.slice(2))
  }
  assert.ok(orders.size > 5, `only ${orders.size} orders of the words of two threads in 20 seeds`)
})

test('time is virtual: a wait of a day is over at once, one that is not needed never passes', () =>
  simulated({ seed: 1 }, async ({ system, clock }) => {
    const day = 86_400_000
    const start = clock.now()
    await assert.rejects(system.self.receive(undefined, { timeout: day }), 'CALL_TIMEOUT')
    assert.is(clock.now(), start + day)
    const pid = await system.spawn(puppets, system.self.pid, { thread: 1 })
    await system.self.call(pid, order('ref'), { timeout: day })
    assert.ok(clock.now() < start + day + 100)
  }))

test('the clock of every thread is the same one', () =>
  simulated({ seed: 2, latency: 0 }, async ({ system, clock }) => {
    const { self } = system
    const pid = await system.spawn(puppets, self.pid, { thread: 0 })
    await self.call(pid, order('sendAfter', self.pid, 'late', 500))
    const start = clock.now()
    assert.is(await self.receive(), 'late')
    assert.is(clock.now(), start + 500)
  }))

test('with a latency a short wait may be over before its answer comes, or after', async () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 30; seed++) {
    await simulated({ seed, latency: 5 }, async ({ system }) => {
      const pid = await system.spawn(puppets, system.self.pid, { thread: 0 })
      const call = system.self.call(pid, order('ref'), { timeout: 5 })
      outcomes.add(
        await call.then(
          () => 'answered',
          (error) => error.code,
        ),
      )
    })
  }
  assert.equal([...outcomes].sort(), ['CALL_TIMEOUT', 'answered'])
})

test('what waits for ever is found out, with the seed', async () => {
  const simulation = await Simulation.start({ seed: 77 })
  await assert.rejects(
    simulation.run(() => simulation.system.self.receive()),
    'UNAVAILABLE',
    /seed 77: nothing can happen any more/,
  )
  await simulation.stop()
})

test('an error of the body is that of the run', async () => {
  const simulation = await Simulation.start({ seed: 3 })
  await assert.rejects(
    simulation.run(() => {
      throw new RangeError('of the body')
    }),
    /of the body/,
  )
  await simulation.stop()
})

test('a thread that is crashed dies with all its processes, and another takes its place', () =>
  simulated({ seed: 4 }, async (simulation) => {
    const { self } = simulation.system
    const pid = await self.spawn(puppets, self.pid, { thread: 0, monitor: true })
    simulation.crashThread(pid.thread, new RangeError('burst'))
    const { reason } = await self.receive<{ reason: { error: { message: string } } }>()
    assert.is(reason.error.message, 'burst')
    const next = await self.spawn(puppets, self.pid, { thread: 0 })
    assert.is.not(next.thread, pid.thread)
    assert.type(await self.call(next, order('ref')), 'object')
  }))

test('what dies somewhere dies at a point that the seed decides', async () => {
  const survived = new Set<number>()
  for (let seed = 0; seed < 20; seed++) {
    await simulated({ seed }, async (simulation) => {
      const { self } = simulation.system
      const pid = await self.spawn(puppets, self.pid, { thread: 0, monitor: true })
      simulation.killSomewhere(pid)
      let answers = 0
      while (
        await self.call(pid, order('ref')).then(
          () => true,
          () => false,
        )
      )
        answers++
      survived.add(answers)
      assert.is((await self.receive<{ reason: unknown }>()).reason, 'killed')
    })
  }
  assert.ok(survived.size > 3)
})

test('faults by chance are in the trace, come again with their seed, and end when it is calm', async () => {
  const options = { seed: 9, faults: { kill: 0.05, crash: 0.02 } }
  const traces: string[] = []
  for (let i = 0; i < 2; i++) {
    const trace = await simulated(options, async (simulation) => {
      const { self } = simulation.system
      for (let n = 0; n < 40; n++) {
        const pid = await self.spawn(puppets, self.pid, { monitor: true }).catch(() => undefined)
        if (pid !== undefined) await self.call(pid, order('ref')).catch(() => {})
      }
      simulation.calm()
      const pid = await self.spawn(puppets, self.pid)
      for (let n = 0; n < 40; n++) await self.call(pid, order('ref'))
    })
    assert.ok(trace.some((line) => line.includes(' kill ')))
    assert.ok(trace.some((line) => line.includes(' crash ')))
    traces.push(trace.join('\n'))
  }
  assert.is(traces[0], traces[1])
})

test('settle runs until nothing can happen, timers included', async () => {
  await using simulation = await Simulation.start({ seed: 5 })
  const { self } = simulation.system
  self.sendAfter(self.pid, 'later', 1000)
  await simulation.settle()
  assert.is(await self.receive(undefined, { timeout: 0 }), 'later')
  assert.is(simulation.clock.pending, 0)
})

test('isolated processes, contexts and watches run under it too', () =>
  simulated({ seed: 6 }, async ({ system }) => {
    const ctx = await Context.start(system)
    const x = await ctx.define('x', 'integer', 0)
    const seen: unknown[] = []
    await x.watch((_name, _previous, value) => void seen.push(value), { includeInitial: true })
    await x.set(1)
    assert.equal(seen, [0, 1])
    const pid = await system.spawn(puppets, system.self.pid, { thread: 'isolated', monitor: true })
    system.self.exit(pid, 'kill')
    assert.is((await system.self.receive<{ reason: unknown }>()).reason, 'killed')
  }))

test('options out of their range are refused', async () => {
  for (const [option, value] of [
    ['seed', 0.5],
    ['seed', '1'],
    ['latency', -1],
    ['threads', 0],
  ] as const) {
    const options = { seed: 1, [option]: value } as SimulationOptions
    await assert.rejects(Simulation.start(options), 'INVALID_TYPE', new RegExp(option))
  }
})

test('stop leaves nothing, whatever runs', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const simulation = await Simulation.start({ seed })
    const { self } = simulation.system
    for (const thread of ['main', 0, 1, 'system', 'isolated'] as const)
      void self.spawn(puppets, self.pid, { thread }).catch(() => {})
    await simulation.stop()
    assertNothingLeft(simulation.system)
    assert.is(simulation.clock.pending, 0)
  }
})

test.run()
