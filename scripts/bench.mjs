// Runs every built benchmark in a process of its own, prints what each arm took beside its peers, and draws it:
//   node scripts/bench.mjs [part of a file's or of an arm's name…] [--quick] [--targets]
// A `*` in an arm's name stands for anything. --targets runs only what the targets are read from. What is found is
// written to bench/results.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { comparison } from './bench/comparison.mjs'
import { elixirTable, runElixir } from './bench/elixir.mjs'
import { installPeers } from './bench/peers.mjs'
import { drawPlots } from './bench/plots.mjs'
import { results, root, runScenario } from './bench/scenario.mjs'
import { tables } from './bench/table.mjs'
import { neededForTargets, targetsTable } from './bench/targets.mjs'

const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    targets: { type: 'boolean', default: false },
  },
})

const built = join(root, 'build', 'bench')
/** Built benchmarks whose source is still there: what was deleted must not run on. */
const all = (existsSync(built) ? readdirSync(built) : [])
  .filter((file) => file.endsWith('.bench.js') && existsSync(join(root, 'bench', file.replace(/\.js$/, '.ts'))))
  .map((file) => basename(file, '.bench.js'))
  .sort()
if (all.length === 0) {
  console.error('there is no built benchmark: `npm run bench` builds them first')
  process.exit(2)
}

/** A filter chooses the files whose name has it; one that no file has chooses arms, in every file that is chosen. */
const ofFiles = filters.filter((filter) => all.some((name) => name.includes(filter)))
const ofArms = filters.filter((filter) => !ofFiles.includes(filter))
const chosen = all
  .filter((name) => !values.targets || neededForTargets.has(name))
  .filter((name) => ofFiles.length === 0 || ofFiles.some((filter) => name.includes(filter)))

mkdirSync(results, { recursive: true })
installPeers()
const armsOf = (name) => [...ofArms, ...(values.targets ? neededForTargets.get(name) : [])]
const outcomes = chosen.map((name) => runScenario(name, { quick: values.quick, arms: armsOf(name) }))
const failures = outcomes.flatMap(({ failure }) => failure ?? [])
const scenarios = outcomes.flatMap(({ measured }) => (measured ? [comparison(measured)] : []))
if (failures.length === 0 && scenarios.every(({ figures }) => figures.length === 0))
  failures.push(`no file and no arm has a name with ${ofArms.map((filter) => `'${filter}'`).join(' or ')}`)

const { failures: ofElixir, ...elixir } = runElixir(chosen, values)
failures.push(...ofElixir)
// Of few samples, in code that is not compiled yet, they say little.
const aims = values.quick && !values.targets ? [] : [targetsTable(scenarios, elixir.figures)]
const text = [...tables(scenarios), elixir.absence ?? elixirTable(elixir, scenarios), ...aims].join('\n')
console.log(`\n${text}`)
writeFileSync(join(results, 'summary.md'), text)
writeFileSync(join(results, 'summary.json'), `${JSON.stringify({ scenarios, elixir, failures }, undefined, 2)}\n`)
const plots = drawPlots(scenarios, elixir.figures, results)
console.log(`plots: ${plots.join(', ') || 'none, for want of figures or of the library that draws them'}`)
for (const failure of failures) console.error(`FAIL ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
