// Draws the plots of the last run of the benchmarks for the documentation, which shows them:
//   node scripts/plots.mjs
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawPlots } from './bench/plots.mjs'
import { results, root } from './bench/scenario.mjs'

const summary = join(results, 'summary.json')
const { scenarios = [], elixir } = existsSync(summary) ? JSON.parse(readFileSync(summary, 'utf8')) : {}
if (scenarios.length === 0 || scenarios.some(({ quick }) => quick)) {
  console.error('there are no figures that are worth a plot: run `npm run bench` first, not a quick one')
  process.exit(1)
}
const folder = join('docs', 'plots')
for (const name of drawPlots(scenarios, elixir.figures, join(root, folder))) console.log(join(folder, name))
