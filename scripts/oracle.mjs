// Runs the promises of letters A to J as Elixir programs, test/oracle, and compares their ids with docs/semantics.md:
//   node scripts/oracle.mjs
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisesIn } from './promises.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The ids whose programs passed and those that failed, and whether all of them ran. Undefined without Elixir. */
function run() {
  const { error, status, stdout } = spawnSync('elixir', [join(root, 'test', 'oracle', 'main.exs')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error?.code === 'ENOENT') return undefined
  if (error) throw error
  process.stdout.write(stdout)
  const ids = (word) => [...stdout.matchAll(new RegExp(`^${word} (\\w+)`, 'gm'))].map(([, id]) => id)
  return { ended: status === 0, passed: ids('PASS'), failed: ids('FAIL') }
}

/** What OTP promises: the letters up to J. K is about Node. */
function promised() {
  const page = readFileSync(join(root, 'docs', 'semantics.md'), 'utf8')
  return promisesIn(page)
    .map(({ id }) => id)
    .filter((id) => !id.startsWith('K'))
}

const without = (ids, others) => ids.filter((id) => !others.includes(id))

function report({ ended, passed, failed }) {
  const ids = promised()
  const missing = without(ids, [...passed, ...failed])
  const unknown = without([...passed, ...failed], ids)
  if (missing.length > 0) console.log(`no program for: ${missing.join(', ')}`)
  if (unknown.length > 0) console.log(`not in docs/semantics.md: ${unknown.join(', ')}`)
  console.log(`${passed.length} of ${ids.length} ids pass in Elixir`)
  return ended && failed.length + missing.length + unknown.length === 0
}

const outcome = run()
if (outcome === undefined) {
  console.log('The oracle is skipped: it needs Elixir, 1.14 or later (Debian and Ubuntu: apt-get install elixir).')
} else {
  process.exitCode = report(outcome) ? 0 : 1
}
