// Runs every built benchmark in a process of its own and prints what each took against its peer:
//   node scripts/bench.mjs [part of a name…] [--quick]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
})

/** Milliseconds for one file. */
const timeout = 600_000
const built = join(root, 'build', 'bench')
const results = join(root, 'bench', 'results')
const resultOf = (file) => join(results, `${basename(file, '.bench.js')}.json`)

/** Built benchmarks whose source is still there: what was deleted must not run on. */
const files = readdirSync(built)
  .filter((file) => file.endsWith('.bench.js') && existsSync(join(root, 'bench', file.replace(/\.js$/, '.ts'))))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort()
if (files.length === 0) throw new Error(`no benchmark in ${built} matches ${filters.join(' ')}`)

mkdirSync(results, { recursive: true })
const failures = []
for (const file of files) {
  console.log(`\n== ${file}`)
  rmSync(resultOf(file), { force: true })
  const { status, signal } = spawnSync(
    process.execPath,
    ['--expose-gc', '--enable-source-maps', join(built, file), ...(values.quick ? ['--quick'] : [])],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout, killSignal: 'SIGKILL' },
  )
  if (signal !== null) failures.push(`${file}: ended by ${signal}`)
  else if (status !== 0) failures.push(`${file}: exit code ${status}`)
  else if (!existsSync(resultOf(file))) failures.push(`${file}: it wrote no figures`)
}

/** Each peer, and the arms that are compared with it. */
const peers = {
  'raw postMessage round trip': [
    'send and receive, there and back, across threads',
    'call, across threads',
    'set, answered and watched on this thread',
    'get',
    'send and receive, there and back, within a thread',
    'call, within a thread',
  ],
  'raw postMessage one way': ['put to callback'],
}

const figures = files
  .filter((file) => existsSync(resultOf(file)))
  .flatMap((file) => JSON.parse(readFileSync(resultOf(file), 'utf8')).figures)
const find = (name) => figures.find((figure) => figure.name === name)
const time = (ns) =>
  ns >= 1e6 ? `${(ns / 1e6).toFixed(2)} ms` : ns >= 1e3 ? `${(ns / 1e3).toFixed(1)} µs` : `${ns.toFixed(0)} ns`

const rows = figures.map(({ name, p50, p99 }) => {
  const peer = Object.keys(peers).find((key) => peers[key].includes(name) || key === name)
  const ratio =
    peer !== undefined && find(peer) ? `${(p50 / find(peer).p50).toFixed(2)} × ${peer === name ? 'itself' : peer}` : ''
  return `| ${name} | ${time(p50)} | ${time(p99)} | ${ratio} |`
})
const table = ['| what | median | p99 | against its peer |', '| --- | --- | --- | --- |', ...rows].join('\n')
console.log(`\n${table}`)
writeFileSync(join(results, 'summary.md'), `${table}\n`)
writeFileSync(join(results, 'summary.json'), `${JSON.stringify(figures, undefined, 2)}\n`)
for (const failure of failures) console.error(`FAIL ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
