// Runs every built benchmark in a process of its own and prints what each arm took against its peer:
//   node scripts/bench.mjs [part of a file's or of an arm's name…] [--quick]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'build', 'bench')
const results = join(root, 'bench', 'results')
const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
})

/** Milliseconds for one file. */
const timeout = values.quick ? 120_000 : 300_000

/** Built benchmarks whose source is still there: what was deleted must not run on. */
const all = (existsSync(built) ? readdirSync(built) : [])
  .filter((file) => file.endsWith('.bench.js') && existsSync(join(root, 'bench', file.replace(/\.js$/, '.ts'))))
  .sort()
if (all.length === 0) {
  console.error('there is no built benchmark: `npm run bench` builds them first')
  process.exit(2)
}

/** A filter chooses the files whose name has it; one that no file has chooses arms, in every file that is chosen. */
const ofFiles = filters.filter((filter) => all.some((file) => file.includes(filter)))
const ofArms = filters.filter((filter) => !ofFiles.includes(filter))
const files = all.filter((file) => ofFiles.length === 0 || ofFiles.some((filter) => file.includes(filter)))

/** @returns the result of a file, or why there is none */
function runFile(file) {
  console.log(`\n== ${file}`)
  const result = join(results, `${basename(file, '.bench.js')}.json`)
  rmSync(result, { force: true })
  const flags = [...(values.quick ? ['--quick'] : []), ...ofArms.map((filter) => `--only=${filter}`)]
  const { status, signal, error } = spawnSync(
    process.execPath,
    ['--expose-gc', '--enable-source-maps', join(built, file), ...flags],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout, killSignal: 'SIGKILL' },
  )
  const measured = existsSync(result) ? JSON.parse(readFileSync(result, 'utf8')) : undefined
  if (error?.code === 'ETIMEDOUT') return { measured, failure: `${file}: not over after ${timeout / 1000} s` }
  if (signal !== null) return { measured, failure: `${file}: ended by ${signal}` }
  if (status !== 0) return { measured, failure: `${file}: exit code ${status}` }
  return { measured, failure: measured ? undefined : `${file}: it wrote no figures` }
}

/** Adds to each arm its peer's two measurements, how much longer it takes itself, and of a peer the second one. */
function compare(figures) {
  return figures.map((figure) => {
    const peers = figures.filter(({ name, again }) => figure.peer !== undefined && [name, again].includes(figure.peer))
    const ratios = peers.map(({ p50 }) => figure.p50 / p50).sort((a, b) => a - b)
    const later = figures.find(({ again }) => again === figure.name)?.p50
    return { ...figure, later, ratio: ratios.length === 0 ? undefined : { lowest: ratios[0], highest: ratios.at(-1) } }
  })
}

const number = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0))
const time = (ns) => (ns >= 1e6 ? `${number(ns / 1e6)} ms` : ns >= 1e3 ? `${number(ns / 1e3)} µs` : `${number(ns)} ns`)

function row({ name, p50, p99, later, averaged, samples, peer, ratio }) {
  const median = later === undefined ? time(p50) : `${time(p50)}, later ${time(later)}`
  // There is none of averages, nor of less than a hundred.
  const tail = averaged > 1 || samples < 100 ? '' : time(p99)
  if (ratio === undefined) return [name, median, tail, String(samples), '']
  const [low, high] = [number(ratio.lowest), number(ratio.highest)]
  const range = ratio.highest / ratio.lowest < 1.1 ? high : `${low} to ${high}`
  return [name, median, tail, String(samples), `${range} × ${peer}`]
}

function table(head, rows) {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((cells) => cells[column])].map((text) => text.length)),
  )
  const line = (cells) => `| ${cells.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

mkdirSync(results, { recursive: true })
const outcomes = files.map(runFile)
const failures = outcomes.flatMap(({ failure }) => failure ?? [])
const suites = outcomes
  .flatMap(({ measured }) => measured ?? [])
  .map(({ figures, ...facts }) => ({
    ...facts,
    figures: compare(figures),
  }))
if (failures.length === 0 && suites.every(({ figures }) => figures.length === 0))
  failures.push(`no file and no arm has a name with ${ofArms.map((filter) => `'${filter}'`).join(' or ')}`)

const texts = suites
  .filter(({ figures }) => figures.length > 0)
  .map(({ suite, date, commit, quick, machine: { cpu, cores, node, load }, figures }) => {
    const facts = `${cpu}, ${cores} cores, load ${load.toFixed(1)}, Node ${node}, ${commit ?? 'no commit'}, ${date}`
    const rows = figures.filter(({ again }) => again === undefined).map(row)
    const head = [suite, 'median', 'p99', 'samples', 'median against its peer']
    return `${table(head, rows)}\n\n${facts}${quick ? ', quick: few samples' : ''}\n`
  })
console.log(`\n${texts.join('\n')}`)
writeFileSync(join(results, 'summary.md'), texts.join('\n'))
writeFileSync(join(results, 'summary.json'), `${JSON.stringify({ suites, failures }, undefined, 2)}\n`)
for (const failure of failures) console.error(`FAIL ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
