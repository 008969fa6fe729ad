import fc from 'fast-check'
import { BeamlineError } from '../../src/errors.js'
import type { Simulation } from '../../src/testing/index.js'
import type { Pid } from '../../src/threads/pid.js'
import {
  asker,
  type Errand,
  hosts,
  type Inquiry,
  inquiries,
  manners,
  put,
  type Request,
  responder,
} from '../fixtures/asking.js'
import { assert, suite } from '../harness.js'
import { explore } from '../support/simulations.js'

const test = suite('calls, simulated', { timeout: 60_000 })

const module = new URL('../fixtures/asking.js', import.meta.url)
const ASKERS = 3
const RESPONDERS = 5
const places = [0, 1, 'isolated', 'main', 'system'] as const

interface Asking {
  readonly asker: number
  readonly to: number
  readonly manner: Request['manner']
  readonly timeout: number
}

type Event =
  | Asking
  | { readonly kill: number }
  | { readonly crash: 0 | 1 }
  | { readonly start: (typeof places)[number]; readonly timeout: number }
  | { readonly inspect: number }
  | { readonly rest: number }

/** The last asker is the test itself. */
const asking = fc.record({
  asker: fc.nat(ASKERS),
  to: fc.nat(RESPONDERS - 1),
  manner: fc.constantFrom(...manners),
  timeout: fc.constantFrom(2, 8, Number.POSITIVE_INFINITY),
})
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: asking },
    { weight: 1, arbitrary: fc.record({ kill: fc.nat(ASKERS + RESPONDERS - 1) }) },
    { weight: 1, arbitrary: fc.record({ crash: fc.constantFrom(0 as const, 1 as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        start: fc.constantFrom(...places),
        timeout: fc.constantFrom(2, 6, Number.POSITIVE_INFINITY),
      }),
    },
    { weight: 2, arbitrary: fc.record({ inspect: fc.nat(RESPONDERS - 1) }) },
    { weight: 3, arbitrary: fc.record({ rest: fc.integer({ min: 1, max: 6 }) }) },
  ),
  { minLength: 5, maxLength: 50 },
)

class Scene {
  readonly askers: Pid[] = []
  readonly responders: Pid[] = []
  /** What the test waits for beside calls: starts, and facts about processes. */
  readonly waits: { readonly what: string; settled: boolean }[] = []
  readonly #simulation: Simulation
  #number = 0

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  async start(): Promise<void> {
    const { self } = this.#simulation.system
    inquiries.length = 0
    hosts.clear()
    for (let i = 0; i < ASKERS; i++)
      this.askers.push(await self.spawn({ module, export: asker.name }, undefined, { thread: places[i % 3] ?? 0 }))
    for (const thread of places)
      this.responders.push(await self.spawn({ module, export: responder.name }, undefined, { thread }))
  }

  async play(plan: readonly Event[]): Promise<void> {
    for (const event of plan) {
      if ('asker' in event) this.#ask(event)
      else if ('rest' in event) await this.#rest(event.rest)
      else this.#do(event)
    }
  }

  #ask({ asker: by, to, manner, timeout }: Asking): void {
    const { self } = this.#simulation.system
    const errand: Errand = { to: this.responders[to] as Pid, request: { manner, number: ++this.#number }, timeout }
    const pid = this.askers[by]
    if (pid === undefined) put(self, errand)
    else self.send(pid, errand)
  }

  #do(event: Exclude<Event, Asking | { rest: number }>): void {
    const { system } = this.#simulation
    if ('kill' in event) this.#simulation.killSomewhere([...this.askers, ...this.responders][event.kill] as Pid)
    else if ('crash' in event) this.#simulation.crashSomewhere((this.responders[event.crash] as Pid).thread)
    else if ('inspect' in event) this.#wait('info', system.info(this.responders[event.inspect] as Pid))
    else {
      const { start: thread, timeout } = event
      const started = system.spawn({ module, export: responder.name }, undefined, { thread, timeout })
      this.#wait(
        `a start on ${thread}`,
        started.then((pid) => void this.responders.push(pid)),
      )
    }
  }

  #wait(what: string, promise: Promise<unknown>): void {
    const wait = { what, settled: false }
    this.waits.push(wait)
    const settle = () => {
      wait.settled = true
    }
    promise.then(settle, settle)
  }

  async #rest(timeout: number): Promise<void> {
    await this.#simulation.system.self.receive(() => false, { timeout }).catch(() => {})
  }

  /** Ends processes, and all that comes of it. */
  async end(pids: readonly Pid[]): Promise<void> {
    for (const pid of pids) this.#simulation.system.self.exit(pid, 'kill')
    await this.#simulation.settle()
  }
}

const codes = ['NOPROC', 'CALL_TIMEOUT', 'CONSTRAINT']

function checkOutcome({ request, outcome }: Inquiry): void {
  const { value, error } = outcome ?? {}
  if (error === undefined) {
    assert.is(value, request.number, 'the answer to another question')
    assert.not.ok(['never', 'refused', 'dying'].includes(request.manner), `an answer ${request.manner}`)
  } else {
    assert.ok(error instanceof BeamlineError && codes.includes(error.code), `rejected with ${error}`)
    if (error.code === 'CONSTRAINT') assert.is(request.manner, 'refused')
  }
}

const unsettled = (by: (pid: Pid) => boolean) =>
  inquiries.filter((inquiry) => inquiry.outcome === undefined && by(inquiry.by)).map(({ request }) => request)

test('whoever dies, every call of the living is answered or rejected, and so is every start', () =>
  explore(events, 400, async (simulation, plan) => {
    const { system } = simulation
    const scene = new Scene(simulation)
    await simulation.run(() => scene.start())
    await simulation.run(() => scene.play(plan))
    await simulation.settle()
    assert.equal(
      scene.waits.filter(({ settled }) => !settled),
      [],
      'what the test itself waits for',
    )
    const isAlive = (pid: Pid) => system.isAlive(pid)
    const waiting = unsettled(isAlive)
    assert.ok(
      waiting.every(({ manner }) => manner === 'never'),
      'what is not settled is what nobody answers',
    )
    if (simulation.random.next() < 0.5) {
      await scene.end(scene.askers)
      for (const { cells } of hosts)
        for (const { tied } of cells.values())
          for (const { pid } of tied?.unanswered.values() ?? [])
            assert.ok(isAlive(pid), 'the call of a dead one is remembered')
    }
    await scene.end(scene.responders)
    assert.equal(unsettled(isAlive), [], 'calls to the dead')
    for (const inquiry of inquiries) if (inquiry.outcome !== undefined) checkOutcome(inquiry)
    await scene.end(scene.askers)
    assert.is(simulation.clock.pending, 0, 'timers were left')
    for (const { calls } of hosts) assert.is(calls.size, 0, 'calls were left')
    assert.equal(system.processes(), [system.self.pid])
  }))

test.run()
