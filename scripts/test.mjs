// Runs every built test file in a process of its own and counts honestly: node scripts/test.mjs [filter…] [--repeat N] [--jobs N]
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    timeout: { type: 'string', default: '180' },
    from: { type: 'string', default: join(root, 'build', 'test') },
  },
})

/** Folders whose files get the machine for themselves, after all others. */
const alone = ['process-death', 'stress', 'cli']

/** Built tests whose source is still there: what was deleted must not run on. */
function findTests(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(folder, file))
    .filter((file) => values.from !== join(root, 'build', 'test') || existsSync(sourceOf(file)))
    .filter((file) => filters.length === 0 || filters.some((filter) => relative(root, file).includes(filter)))
    .sort()
}

const sourceOf = (file) => join(root, relative(join(root, 'build'), file)).replace(/\.js$/, '.ts')

/** What uvu's summary says, and whether the process agrees with it. */
function judge(output, code, signal) {
  const text = stripVTControlCharacters(output)
  const number = (label) => Number(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
  const total = number('Total')
  const passed = number('Passed')
  const skipped = number('Skipped')
  if (signal !== null) return { passed: passed || 0, failed: 1, why: `ended by ${signal}` }
  if (!(total > 0)) return { passed: 0, failed: 1, why: 'it reported no test: is .run() missing?' }
  const failed = total - passed
  if (skipped > 0) return { passed, failed: failed || skipped, why: `${skipped} skipped` }
  if (failed === 0 && code !== 0) return { passed, failed: 1, why: `exit code ${code}` }
  return { passed, failed, why: failed > 0 ? `${failed} of ${total} failed` : undefined }
}

function runFile(file) {
  return new Promise((resolve) => {
    const start = performance.now()
    const child = spawn(process.execPath, ['--enable-source-maps', '--expose-gc', file], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), Number(values.timeout) * 1000)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const result = judge(output, code, signal)
      const ms = Math.round(performance.now() - start)
      const name = relative(process.cwd(), file)
      console.log(
        `${result.failed === 0 ? 'ok  ' : 'FAIL'} ${name}  ${result.passed} passed, ${ms} ms${result.why ? `  (${result.why})` : ''}`,
      )
      if (result.failed > 0) console.log(output.replace(/^/gm, '     '))
      resolve(result)
    })
  })
}

async function runAll(files, jobs) {
  const queue = [...files]
  const results = []
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) results.push(await runFile(file))
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results
}

const files = findTests(values.from)
const isAlone = (file) => alone.some((folder) => file.includes(`/test/${folder}/`))
const results = []
for (let round = 0; round < Number(values.repeat); round++) {
  results.push(
    ...(await runAll(
      files.filter((file) => !isAlone(file)),
      Number(values.jobs),
    )),
  )
  results.push(...(await runAll(files.filter(isAlone), 1)))
}
if (files.length === 0) console.log('no test file was found')
const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = files.length === 0 ? 1 : results.reduce((sum, result) => sum + result.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
