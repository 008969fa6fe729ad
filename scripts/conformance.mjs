// Runs the conformance suite and prints what became of every promise of docs/semantics.md, letters A to K:
//   node scripts/conformance.mjs [--repeat N] [--jobs N]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { idsOf, promisesIn } from './promises.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs the tests as `npm test` does; the result of each, in the order in which they ended. */
function run() {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  const log = join(folder, 'tests.jsonl')
  try {
    const runner = [join(root, 'scripts', 'test.mjs'), 'test/conformance/', ...process.argv.slice(2)]
    const { status } = spawnSync(process.execPath, runner, {
      env: { ...process.env, TEST_LOG: log },
      stdio: 'inherit',
    })
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []
    return { status, results: lines.map((line) => JSON.parse(line)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where a test ran, as its title says; one without a place says nothing of it. */
const placeIn = (title) => /\((same thread|scheduler thread|isolated)\)$/.exec(title)?.[1] ?? 'any'

/** What the tests of one id say: each place with whether all of its tests passed, every time. */
function verdictOf(id, results) {
  const places = new Map()
  for (const { title, passed } of results.filter((result) => idsOf(result.title).includes(id))) {
    const place = placeIn(title)
    places.set(place, passed && places.get(place) !== false)
  }
  const shown = [...places].map(([place, passed]) => `${place}${passed ? '' : ' FAILED'}`).join(', ')
  const result = places.size === 0 ? 'no test' : [...places.values()].every(Boolean) ? 'holds' : 'FAILED'
  return { places: shown, result }
}

const short = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width))

const { status, results } = run()
const promises = promisesIn(readFileSync(join(root, 'docs', 'semantics.md'), 'utf8'))
console.log(`\n${'id'.padEnd(6)}${'promise'.padEnd(72)}${'placements'.padEnd(46)}result`)
const verdicts = promises.map(({ id, text, differs }) => {
  const { places, result } = verdictOf(id, results)
  console.log(
    `${id.padEnd(6)}${short(text, 70)}  ${short(places, 44)}  ${result}${differs ? ', differs from OTP' : ''}`,
  )
  return { differs, result }
})
const unknown = [...new Set(results.flatMap(({ title }) => idsOf(title)))].filter(
  (id) => !promises.some((promise) => promise.id === id),
)
if (unknown.length > 0) console.log(`\nnot in docs/semantics.md: ${unknown.join(', ')}`)
const hold = verdicts.filter(({ result }) => result === 'holds').length
const differ = verdicts.filter(({ differs }) => differs).length
console.log(
  `\n${hold} of ${promises.length} ids hold, ${differ} of them in a shape of their own; ${results.length} tests`,
)
process.exitCode = status === 0 && hold === promises.length && unknown.length === 0 ? 0 : 1
