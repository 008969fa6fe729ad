import { existsSync } from 'node:fs'
import { assert, suite } from '../harness.js'

interface Figure {
  readonly what: string
  readonly by: string
  readonly title: string
  readonly unit: string
  readonly p50: number
  readonly where?: string
  readonly against?: string
  readonly again?: boolean
}

interface Compared extends Figure {
  readonly later?: number
  readonly ratio?: { readonly lowest: number; readonly highest: number }
}

const root = new URL('../../../', import.meta.url)
const script = (name: string) => import(new URL(`scripts/bench/${name}.mjs`, root).href)
const { comparison } = (await script('comparison')) as {
  comparison(facts: { figures: Figure[] }): { figures: Compared[] }
}
const { neededForTargets, targetsTable } = (await script('targets')) as {
  readonly neededForTargets: ReadonlyMap<string, readonly string[]>
  targetsTable(scenarios: readonly object[], elixir: readonly object[]): string
}

const across = 'across two threads'
const set = { what: 'set to callback', where: across, unit: 'ns' }
const raw = { ...set, by: 'raw postMessage', title: 'raw' }
const ours = { ...set, by: 'beamline', title: 'ours', against: 'raw' }

/** A run in which raw workers took first 10 and later 40 microseconds. */
const run = (p50: number) => ({
  scenario: 'set-callback',
  machine: { load: 0, cores: 2 },
  ...comparison({
    figures: [
      { ...raw, p50: 10_000 },
      { ...ours, p50 },
      { ...raw, p50: 40_000, again: true },
    ],
  }),
})

const test = suite('what is made of the figures of benchmarks')

test('an arm is held against both measurements of its peer, which are one row', () => {
  const { figures } = run(20_000)
  assert.equal(
    figures.map(({ title }) => title),
    ['raw', 'ours'],
  )
  assert.is(figures[0]?.later, 40_000)
  assert.equal(figures[1]?.ratio, { lowest: 0.5, highest: 2 })
})

test('a target is met, missed, or not measured', () => {
  const row = (table: string, target: string) => table.split('\n').find((line) => line.includes(target)) ?? ''
  const fast = targetsTable([run(900)], [])
  assert.match(row(fast, 'raw round trip against set'), /22\.2 ×\s*\| met/)
  assert.match(row(fast, 'set → callback across two threads, hot'), /900 ns\s*\| met/)
  assert.match(row(fast, "Comlink's"), /not measured/)
  const slow = targetsTable([run(2000)], [])
  assert.match(row(slow, 'raw round trip against set'), /10\.0 ×\s*\| NOT MET/)
  assert.is(targetsTable([], []), '')
})

test('the targets are read from benchmarks that exist', () => {
  for (const scenario of neededForTargets.keys())
    assert.ok(existsSync(new URL(`bench/${scenario}.bench.ts`, root)), scenario)
})

test.run()
