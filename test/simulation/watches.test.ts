import fc from 'fast-check'
import { Context, ObserverManager, type Pid } from '../../src/index.js'
import type { Simulation } from '../../src/testing/index.js'
import { type Seat, type Sight, type Spectacle, spectacles, spectator } from '../fixtures/spectators.js'
import { assert, suite } from '../harness.js'
import { explore } from '../support/simulations.js'

const test = suite('watches, simulated', { timeout: 60_000 })

const module = new URL('../fixtures/spectators.js', import.meta.url)
const NAMES = ['a', 'b', 'c']
const places = [0, 1, 'isolated', 'main'] as const

interface Watching {
  readonly watch: string[]
  readonly from: 'now' | 'initial' | 'since'
  readonly thread: (typeof places)[number]
}

type Event =
  | { readonly set: string }
  | { readonly many: string[] }
  | Watching
  | { readonly stop: number }
  | { readonly kill: number }
  | { readonly crash: number }
  /** The thread of the context dies. */
  | { readonly quake: true }
  | { readonly rest: number }

const name = fc.constantFrom(...NAMES)
const several = fc.uniqueArray(name, { minLength: 1 })
const from = fc.constantFrom('now' as const, 'initial' as const, 'since' as const)
const one = fc.nat(11)
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ set: name }) },
    { weight: 4, arbitrary: fc.record({ many: several }) },
    { weight: 5, arbitrary: fc.record({ watch: several, from, thread: fc.constantFrom(...places) }) },
    { weight: 1, arbitrary: fc.record({ stop: one }) },
    { weight: 1, arbitrary: fc.record({ kill: one }) },
    { weight: 1, arbitrary: fc.record({ crash: one }) },
    { weight: 1, arbitrary: fc.constant({ quake: true as const }) },
    { weight: 3, arbitrary: fc.record({ rest: fc.integer({ min: 1, max: 6 }) }) },
  ),
  { minLength: 10, maxLength: 60 },
)

interface Committed {
  readonly name: string
  readonly value: number
  readonly revision: number
}

/** A context, what was written to it, and who was started to watch it. */
class Scene {
  readonly ctx: Context
  readonly #simulation: Simulation
  readonly #writes: Promise<Committed[]>[] = []
  /** Values of writes that were in flight when the thread of the context died: they were committed or not. */
  readonly unknown = new Set<number>()
  #value = 0
  #seats = 0

  constructor(simulation: Simulation, ctx: Context) {
    this.#simulation = simulation
    this.ctx = ctx
  }

  /** Plays the plan; resolves to all that was acknowledged, in order. */
  async play(plan: readonly Event[]): Promise<Committed[]> {
    for (const event of plan) {
      if ('set' in event) this.#set(event.set)
      else if ('many' in event) this.#many(event.many)
      else if ('rest' in event)
        await this.#simulation.system.self.receive(() => false, { timeout: event.rest }).catch(() => {})
      else if ('watch' in event) this.#watch(event)
      else if ('quake' in event) this.#simulation.crashSomewhere(this.ctx.pid.thread)
      else this.#trouble(event)
    }
    return (await Promise.all(this.#writes)).flat()
  }

  #set(name: string): void {
    const value = ++this.#value
    const written = this.ctx.set(name, value).then(({ revision }) => [{ name, value, revision }])
    this.#writes.push(written.catch((error) => this.#inFlight(error, [value])))
  }

  #many(names: readonly string[]): void {
    const all = names.map((name) => ({ name, value: ++this.#value }))
    const written = this.ctx.updateMany(Object.fromEntries(all.map(({ name, value }) => [name, value])))
    const acknowledged = written.then(({ revision }) => all.map((write) => ({ ...write, revision })))
    const values = all.map(({ value }) => value)
    this.#writes.push(acknowledged.catch((error) => this.#inFlight(error, values)))
  }

  #inFlight(error: { code?: string }, values: readonly number[]): Committed[] {
    if (error.code !== 'NOPROC') throw error
    for (const value of values) this.unknown.add(value)
    return []
  }

  #watch({ watch: names, from: begin, thread }: Watching): void {
    const options =
      begin === 'now' ? {} : begin === 'initial' ? { includeInitial: true } : { sinceRevision: NAMES.length }
    const seat: Seat = { number: this.#seats++, context: 'stage', names, options }
    this.#simulation.system.spawn({ module, export: spectator.name }, seat, { thread }).catch(() => {})
  }

  #trouble(event: { readonly stop: number } | { readonly kill: number } | { readonly crash: number }): void {
    const at = 'stop' in event ? event.stop : 'kill' in event ? event.kill : event.crash
    const pid: Pid | undefined = spectacles[at]?.pid
    if (pid === undefined) return
    if ('stop' in event) this.#simulation.system.self.send(pid, 'stop')
    else if ('kill' in event) this.#simulation.killSomewhere(pid)
    else if (pid.thread !== 0) this.#simulation.crashSomewhere(pid.thread)
  }
}

const parts = (sights: readonly Sight[]): Committed[] =>
  sights.map(({ name, value, meta }) => ({ name, value: value as number, revision: meta.revision }))

/** It has seen one stretch of what was committed, in order, without a gap; to the end, if it still watches. */
function checkSeen({ seat, seen, stoppedAt }: Spectacle, committed: readonly Committed[], watches: boolean): void {
  const all = committed.filter(({ name }) => seat.names.includes(name))
  const changes = parts(seen.filter(({ meta }) => !meta.initial))
  const first = changes[0]
  const start = first === undefined ? all.length : all.findIndex(({ value }) => value === first.value)
  const rest = all.slice(start)
  assert.equal(changes, watches ? rest : rest.slice(0, changes.length), 'W2: a gap, or another order')
  if (stoppedAt !== undefined) assert.is(seen.length, stoppedAt, 'W7: a change after stop')
  if (seat.options.sinceRevision !== undefined && (watches || changes.length > 0))
    assert.equal(changes[0], all[0], 'W10: not everything since then')
  if (seat.options.includeInitial) checkInitial(seat, seen, all, watches)
}

/** W1: from the present values on, each change starts from what was seen before. */
function checkInitial(seat: Seat, seen: readonly Sight[], all: readonly Committed[], watches: boolean): void {
  const values = new Map<string, unknown>()
  for (const { name, previous, value, meta } of seen) {
    assert.is(meta.initial, !values.has(name), 'W1: not one initial value, first')
    if (!meta.initial) assert.is(previous, values.get(name), 'W1: a change was missed')
    values.set(name, value)
  }
  if (!watches) return
  for (const name of seat.names)
    assert.is(values.get(name), all.findLast((write) => write.name === name)?.value ?? 0, 'W1: not the present value')
}

/** Everything that was committed, in order. */
async function logOf(ctx: Context): Promise<Committed[]> {
  const all: Committed[] = []
  const see = (name: string, _previous: unknown, value: unknown, { revision }: { readonly revision: number }) =>
    all.push({ name, value: value as number, revision })
  const watch = await ctx.watch(NAMES, see, { sinceRevision: NAMES.length })
  await watch.stop()
  return all
}

test('whoever dies, the thread of the context too, each watch sees every change once and in order, and those of the dead are gone', () =>
  explore(events, 200, async (simulation, plan) => {
    const { system } = simulation
    spectacles.length = 0
    const ctx = await simulation.run(async () => {
      const made = await Context.start(system, { id: 'stage' })
      for (const variable of NAMES) await made.define(variable, 'integer', 0)
      return made
    })
    const scene = new Scene(simulation, ctx)
    const acknowledged = await simulation.run(() => scene.play(plan))
    await simulation.settle()
    const committed = await simulation.run(() => logOf(ctx))
    const sure = committed.filter(({ value }) => !scene.unknown.has(value))
    assert.equal(sure, acknowledged, 'V7: not what was acknowledged')
    const revisions = committed.map(({ revision }) => revision)
    assert.equal(
      revisions,
      revisions.toSorted((a, b) => a - b),
      'V3: revisions out of order',
    )
    const living = spectacles.filter(({ pid, stoppedAt }) => system.isAlive(pid) && stoppedAt === undefined)
    for (const spectacle of spectacles) {
      assert.equal(spectacle.errors, [])
      checkSeen(spectacle, committed, living.includes(spectacle))
    }
    const [watchers, observers] = await simulation.run(() =>
      Promise.all([ctx.listWatchers(), ObserverManager.of(system).total()]),
    )
    assert.equal(
      watchers.map(({ owner }) => `${owner}`).sort(),
      living.map(({ pid }) => `${pid}`).sort(),
      'W8: watchers',
    )
    assert.is(observers, living.length, 'W8: observers')
    await simulation.run(() => ctx.set('a', -1))
    assert.is(ctx.peek('a'), -1)
    await simulation.settle()
    for (const { seat, seen } of living)
      if (seat.names.includes('a')) assert.is(seen.at(-1)?.value, -1, 'the context goes on')
  }))

test.run()
