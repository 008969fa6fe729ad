// Runs every built test file in a process of its own and counts honestly:
//   node scripts/test.mjs [part of a path…] [--jobs N] [--repeat N] [--timeout SECONDS] [--from FOLDER]
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const ours = join(root, 'build', 'test')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    timeout: { type: 'string', default: process.env.TEST_FILE_TIMEOUT ?? '180' },
    from: { type: 'string', default: ours },
  },
})
const repeat = wholeNumber('repeat')
const jobs = wholeNumber('jobs')
const timeout = wholeNumber('timeout') * 1000
const filters = positionals.map((filter) => filter.replace(/\.ts$/, '.js'))

/** Folders whose files get the machine for themselves, after all others. */
const alone = ['process-death', 'stress', 'faults', 'cli']

/** How long the pipes of a file may stay open after its end, in milliseconds. */
const grace = 1000

function wholeNumber(option) {
  const value = Number(values[option])
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`--${option} is ${values[option]}: give a whole number above 0`)
  process.exit(2)
}

/** Built tests whose source is still there: what was deleted must not run on. */
function findTests(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(folder, file))
    .filter((file) => folder !== ours || existsSync(sourceOf(file)))
    .filter((file) => filters.length === 0 || filters.some((filter) => relative(root, file).includes(filter)))
    .sort()
}

const sourceOf = (file) => join(root, relative(join(root, 'build'), file)).replace(/\.js$/, '.ts')

/** What uvu's summary says, and whether the end of the process agrees with it. */
function judge(output, code, signal, lateFor) {
  const text = stripVTControlCharacters(output)
  const number = (label) => Number([...text.matchAll(new RegExp(`^ {2}${label}: +(\\d+)`, 'gm'))].at(-1)?.[1])
  const total = number('Total')
  const passed = number('Passed')
  const skipped = number('Skipped')
  const count = Number.isNaN(passed) ? 0 : passed
  if (lateFor !== undefined) return { passed: count, failed: 1, why: lateFor }
  if (signal !== null) return { passed: count, failed: 1, why: `ended by ${signal}` }
  if (!(total > 0)) return { passed: 0, failed: 1, why: 'it reported no test: is .run() missing?' }
  if (skipped > 0) return { passed, failed: total - passed + skipped, why: `${skipped} skipped` }
  if (passed !== total) return { passed, failed: total - passed, why: `${total - passed} of ${total} failed` }
  if (code !== 0) return { passed, failed: 1, why: `exit code ${code}: something failed outside of the tests` }
  return { passed, failed: 0 }
}

/** The files that run now. Each leads a process group, so that nothing it started survives it. */
const children = new Set()

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

process.on('exit', () => children.forEach(killGroup))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

function runFile(file) {
  return new Promise((resolve) => {
    const start = performance.now()
    const { FORCE_COLOR: _, ...env } = process.env
    const child = spawn(process.execPath, ['--enable-source-maps', '--expose-gc', file], {
      env: { ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    children.add(child)
    let output = ''
    let lateFor
    let timer = setTimeout(() => {
      lateFor = `SIGKILL after ${timeout / 1000} s`
      killGroup(child)
    }, timeout)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk
      })
    }
    // What it started and left behind holds its pipes; `close` would wait for that for ever.
    child.on('exit', () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        lateFor ??= 'a program that it started outlived it'
        killGroup(child)
      }, grace)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      killGroup(child)
      children.delete(child)
      const result = judge(output, code, signal, lateFor)
      const verdict = result.failed === 0 ? 'ok  ' : 'FAIL'
      const why = result.why === undefined ? '' : `  (${result.why})`
      const ms = Math.round(performance.now() - start)
      console.log(`${verdict} ${relative(root, file)}  ${result.passed} passed, ${ms} ms${why}`)
      if (result.failed > 0) console.log(output.replace(/^/gm, '     '))
      resolve(result)
    })
  })
}

async function runAll(files, parallel) {
  const queue = [...files]
  const results = []
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) results.push(await runFile(file))
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return results
}

const files = findTests(values.from)
const isAlone = (file) => alone.some((folder) => relative(root, file).split(/[\\/]/).includes(folder))
const together = files.filter((file) => !isAlone(file))
const results = []
for (let round = 0; round < repeat; round++) {
  results.push(...(await runAll(together, jobs)), ...(await runAll(files.filter(isAlone), 1)))
}
if (files.length === 0) console.log('no test file was found')
const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = files.length === 0 ? 1 : results.reduce((sum, result) => sum + result.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
