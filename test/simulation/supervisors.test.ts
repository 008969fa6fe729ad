import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { type ChildSpec, type Pid, Supervisor } from '../../src/index.js'
import type { Strategy } from '../../src/supervisor/strategy.js'
import type { Simulation } from '../../src/testing/index.js'
import { births, Sibling } from '../fixtures/families.js'
import { assert, suite } from '../harness.js'
import { explore } from '../support/simulations.js'

const test = suite('supervisors, simulated', { timeout: 60_000 })

const CHILDREN = 4
const places = [0, 1, 'isolated', 'main'] as const

type Event =
  | { readonly end: number; readonly reason: 'normal' | 'shutdown' | 'broken' }
  | { readonly kill: number }
  | { readonly crash: 0 | 1 }
  | { readonly rest: number }

interface Plan {
  readonly strategy: Strategy
  readonly maxRestarts: number
  readonly thread: 'main' | 0
  readonly children: readonly { readonly restart: NonNullable<ChildSpec['restart']>; readonly place: number }[]
  readonly events: readonly Event[]
}

const child = fc.nat(CHILDREN - 1)
const plans: fc.Arbitrary<Plan> = fc.record({
  strategy: fc.constantFrom('one_for_one' as const, 'one_for_all' as const, 'rest_for_one' as const),
  maxRestarts: fc.constantFrom(1, 4, Number.POSITIVE_INFINITY),
  thread: fc.constantFrom('main' as const, 0 as const),
  children: fc.array(
    fc.record({
      restart: fc.constantFrom('permanent' as const, 'permanent' as const, 'transient' as const, 'temporary' as const),
      place: fc.nat(places.length - 1),
    }),
    { minLength: CHILDREN, maxLength: CHILDREN },
  ),
  events: fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          end: child,
          reason: fc.constantFrom('normal' as const, 'shutdown' as const, 'broken' as const),
        }),
      },
      { weight: 3, arbitrary: fc.record({ kill: child }) },
      { weight: 1, arbitrary: fc.record({ crash: fc.constantFrom(0 as const, 1 as const) }) },
      { weight: 4, arbitrary: fc.record({ rest: fc.constantFrom(1, 10, 3000) }) },
    ),
    { minLength: 3, maxLength: 25 },
  ),
})

/** The limit of restarts as a list of moments. */
class Limit {
  readonly moments: number[] = []
  gaveUp = 0

  constructor(simulation: Simulation) {
    this.listener = (event) => {
      const { type } = event as { type: string }
      if (type === 'giveUp') this.gaveUp++
      if (type === 'restart' || type === 'giveUp') this.moments.push(simulation.clock.now())
    }
    subscribe('beamline:supervisor', this.listener)
  }

  readonly listener: (event: unknown) => void

  /** It gave up at the first restart that was one too many in five seconds, and no sooner. */
  check(maxRestarts: number): void {
    const tooMany = (now: number, index: number) =>
      this.moments.slice(0, index + 1).filter((moment) => moment >= now - 5000).length > maxRestarts
    const first = this.moments.findIndex(tooMany)
    assert.is(this.gaveUp, first < 0 ? 0 : 1, 'the limit of restarts')
    if (first >= 0) assert.is(first, this.moments.length - 1, 'a restart beyond the limit')
  }

  close(): void {
    unsubscribe('beamline:supervisor', this.listener)
  }
}

const specs = ({ children }: Plan): ChildSpec[] =>
  children.map(({ restart, place }, index) => ({
    id: String(index),
    restart,
    start: { server: Sibling, args: String(index), options: { thread: places[place] ?? 0 } },
  }))

const latest = (id: number): Pid | undefined => births.findLast((birth) => birth.id === String(id))?.pid

async function play(simulation: Simulation, events: readonly Event[]): Promise<void> {
  const { self } = simulation.system
  for (const event of events) {
    if ('rest' in event) await self.receive(() => false, { timeout: event.rest }).catch(() => {})
    else act(simulation, event)
  }
}

function act(simulation: Simulation, event: Exclude<Event, { rest: number }>): void {
  const { system } = simulation
  if ('crash' in event) {
    const threads = system.threads().filter(({ kind }) => kind === 'scheduler')
    const thread = threads[event.crash]
    if (thread !== undefined) simulation.crashSomewhere(thread.id)
  } else if ('kill' in event) {
    const pid = latest(event.kill)
    if (pid !== undefined) simulation.killSomewhere(pid)
  } else {
    const pid = latest(event.end)
    if (pid !== undefined) system.self.cast(pid, { method: 'end', args: [event.reason] })
  }
}

/** A child starts once those that come after it, and are concerned, have been stopped. */
function checkOrder(strategy: Strategy): void {
  for (const { id, living } of births) {
    assert.not.ok(living.includes(id), `two of ${id} at a time`)
    if (strategy === 'one_for_one') continue
    assert.ok(
      living.every((other) => other < id),
      `${id} was started while ${living} lived`,
    )
  }
}

test('whatever ends, the permanent ones run once each, in order, within the limit; or nobody does', () =>
  explore(plans, 300, async (simulation, plan) => {
    const { system } = simulation
    births.length = 0
    const limit = new Limit(simulation)
    try {
      const { strategy, maxRestarts, thread } = plan
      const options = { strategy, maxRestarts, maxSeconds: 5, thread }
      const supervisor = await simulation.run(() => Supervisor.start(system, specs(plan), options))
      const { pid } = supervisor
      await simulation.run(() => play(simulation, plan.events))
      await simulation.settle()
      checkOrder(strategy)
      const isAlive = (one: Pid) => system.isAlive(one)
      const running = births.filter((birth) => isAlive(birth.pid)).map(({ id }) => id)
      assert.is(new Set(running).size, running.length, 'a child runs twice')
      if (isAlive(pid)) {
        limit.check(maxRestarts)
        const permanent = plan.children.flatMap(({ restart }, id) => (restart === 'permanent' ? [String(id)] : []))
        for (const id of permanent) assert.ok(running.includes(id), `the permanent child ${id} does not run`)
        const children = await simulation.run(() => supervisor.whichChildren())
        const told = children.flatMap((one) => (typeof one.pid === 'object' ? [one.id] : []))
        assert.equal(told, running.toSorted(), 'what it tells of its children')
        await simulation.run(() => supervisor.stop())
      } else if (thread === 'main') limit.check(maxRestarts)
      await simulation.settle()
      assert.equal(system.processes(), [system.self.pid], 'somebody outlived the supervisor')
    } finally {
      limit.close()
    }
  }))

test.run()
