import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { ExitReason } from '../../src/actors/exit-reason.js'
import type { Simulation } from '../../src/testing/index.js'
import { type Journal, journals, type Step, walker } from '../fixtures/walkers.js'
import { assert, suite } from '../harness.js'
import { explore } from '../support/simulations.js'

const test = suite('links and monitors, simulated', { timeout: 60_000 })

const module = new URL('../fixtures/walkers.js', import.meta.url)
const WALKERS = 6
const isShared = (id: number) => id % 3 < 2

/** A step of a walker, a death, or some milliseconds of rest. */
type Event =
  | { readonly by: number; readonly step: Step }
  | { readonly kill: number }
  | { readonly crash: number; readonly now: boolean }
  | { readonly rest: number }

const who = fc.nat(WALKERS - 1)
const moves: Step['move'][] = ['link', 'link', 'unlink', 'monitor', 'monitor', 'demonitor', 'flush', 'trap', 'release']
const often = fc.constantFrom(...moves, 'say' as const, 'say' as const)
const ends = fc.constantFrom('leave' as const, 'exit' as const)
const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ by: who, step: fc.record({ move: often, to: who }) }) },
    { weight: 1, arbitrary: fc.record({ by: who, step: fc.record({ move: ends, to: who }) }) },
    { weight: 1, arbitrary: fc.record({ kill: who }) },
    { weight: 1, arbitrary: fc.record({ crash: who, now: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ rest: fc.integer({ min: 1, max: 6 }) }) },
  ),
  { minLength: 5, maxLength: 60 },
)

/** Lets the walkers do all that, and answers their journals once nothing happens any more. */
async function play(simulation: Simulation, plan: readonly Event[]): Promise<Journal[]> {
  const { self } = simulation.system
  journals.clear()
  await simulation.run(async () => {
    for (let id = 0; id < WALKERS; id++) {
      const thread = isShared(id) ? id % 3 : 'isolated'
      await self.spawn({ module, export: walker.name }, id, { thread, name: `walker ${id}` })
    }
  })
  // A walker writes its journal when it begins, in the turn after its spawn.
  await simulation.settle()
  const all = [...Array(WALKERS).keys()].map((id) => journals.get(id) as Journal)
  await simulation.run(async () => {
    for (const event of plan) {
      if ('step' in event) self.send((all[event.by] as Journal).pid, event.step)
      else if ('kill' in event) simulation.killSomewhere((all[event.kill] as Journal).pid)
      else if ('crash' in event) crash(simulation, (all[event.crash] as Journal).pid.thread, event.now)
      else await self.receive(() => false, { timeout: event.rest }).catch(() => {})
    }
  })
  await simulation.settle()
  return all
}

function crash(simulation: Simulation, thread: number, now: boolean): void {
  if (now) simulation.crashThread(thread)
  else simulation.crashSomewhere(thread)
}

/** Every monitor that is still there has told exactly once of a death, and of nothing else. */
function checkMonitors(all: readonly Journal[], isAlive: (journal: Journal) => boolean): void {
  const reasons = new Map<number, ExitReason>()
  for (const journal of all) {
    for (const { by, down, seenAlive, named } of journal.downs) {
      assert.is(seenAlive, false, 'B17: alive when its DOWN came')
      assert.is(named, false, 'F1: it had its name when its DOWN came')
      if (down.reason === 'noproc') continue
      if (reasons.has(by)) assert.ok(isDeepStrictEqual(reasons.get(by), down.reason), 'two reasons for one death')
      reasons.set(by, down.reason)
    }
    for (const { to, ref, state, heardBefore } of journal.monitors) {
      const count = journal.downsOf(ref).length
      if (state === 'flushed') assert.is(count, heardBefore, 'D5: a DOWN after a flush')
      assert.ok(count <= 1, 'D3: one monitor, two DOWNs')
      const target = all[to] as Journal
      if (isAlive(target)) assert.is(count, 0, 'a DOWN of one who lives')
      else if (state === 'on' && isAlive(journal)) assert.is(count, 1, 'no DOWN of the dead')
    }
  }
}

/** What one says to another comes in order, none missing, and nothing after its death is known. */
function checkWords(all: readonly Journal[], isAlive: (journal: Journal) => boolean): void {
  for (const journal of all) {
    for (const [by, other] of all.entries()) {
      const words = journal.wordsOf(by)
      assert.equal(
        words,
        [...words.keys()].map((index) => index + 1),
        'A1: words out of order',
      )
      const said = other.said.get(all.indexOf(journal)) ?? 0
      // Between shared threads there is a link from the start; elsewhere words that wait for theirs die with their thread.
      const linked = isShared(all.indexOf(journal)) && isShared(by)
      if (isAlive(journal) && (linked || isAlive(other))) assert.is(words.length, said, 'A3: words were lost')
      const told = journal.heard.filter((one) => one.by === by)
      const end = told.findIndex(({ what }) => what === 'DOWN')
      if (end >= 0)
        assert.ok(
          told.slice(end).every(({ what }) => typeof what !== 'number'),
          'A3: a word after DOWN',
        )
    }
  }
}

/** Nobody lives with a link to the dead, nor has missed the end of one whom it was linked to all the time. */
async function checkLinks({ system }: Simulation, all: readonly Journal[], isAlive: (journal: Journal) => boolean) {
  const reasonOf = (id: number) =>
    all.flatMap(({ downs }) => downs).find(({ by, down }) => by === id && down.reason !== 'noproc')?.down.reason
  for (const [id, journal] of all.entries()) {
    if (!isAlive(journal)) continue
    const info = await system.info(journal.pid)
    for (const peer of info?.links ?? []) assert.ok(system.isAlive(peer), 'C8: a link to the dead')
    for (const watched of info?.monitors ?? []) assert.ok(system.isAlive(watched), 'a monitor of the dead')
    for (const watcher of info?.monitoredBy ?? []) assert.ok(system.isAlive(watcher), 'monitored by the dead')
    for (const peer of info?.links ?? []) {
      const back = (await system.info(peer))?.links.some((pid) => pid.equals(journal.pid))
      assert.ok(back, 'C1: a link of one side')
    }
    for (const to of journal.linked) {
      const other = all[to] as Journal
      const held = !journal.unlinked.has(to) && !other.unlinked.has(id)
      if (!held) continue
      if (isAlive(other)) {
        assert.ok(
          info?.links.some((pid) => pid.equals(other.pid)),
          'C1: a link that was made is not there',
        )
      } else if (!journal.heard.some(({ by, what }) => by === to && what === 'EXIT')) {
        assert.ok([undefined, 'normal'].includes(reasonOf(to) as undefined), 'C5: it outlived its link, untrapped')
      }
    }
  }
}

test('whatever they do and wherever they die: deaths are told once, links hold, words keep their order', () =>
  explore(events, 400, async (simulation, plan) => {
    const all = await play(simulation, plan)
    const { system } = simulation
    const isAlive = ({ pid }: Journal) => system.isAlive(pid)
    checkMonitors(all, isAlive)
    checkWords(all, isAlive)
    await simulation.run(() => checkLinks(simulation, all, isAlive))
    for (const { pid } of all) system.self.exit(pid, 'kill')
    await simulation.settle()
    for (const { host } of all) {
      assert.is(host.cells.size, 0, 'cells were left')
      assert.is(host.calls.size, 0, 'calls were left')
    }
    const shell = await system.info(system.self.pid)
    assert.equal([shell?.links, shell?.monitors, shell?.monitoredBy], [[], [], []])
    assert.is(simulation.clock.pending, 0, 'timers were left')
    for (let id = 0; id < WALKERS; id++) assert.is(system.whereis(`walker ${id}`), undefined, 'a name of the dead')
  }))

test.run()
