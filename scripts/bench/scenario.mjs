import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const results = join(root, 'bench', 'results')

/** Runs one built benchmark. @returns the figures it wrote, and why it failed if it did */
export function runScenario(name, { quick, arms }) {
  console.log(`\n== ${name}`)
  const result = join(results, `${name}.json`)
  rmSync(result, { force: true })
  const seconds = quick ? 60 : 240
  const flags = [...(quick ? ['--quick'] : []), ...arms.map((filter) => `--only=${filter}`)]
  const { status, signal, error } = spawnSync(
    process.execPath,
    ['--expose-gc', '--enable-source-maps', join(root, 'build', 'bench', `${name}.bench.js`), ...flags],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: seconds * 1000, killSignal: 'SIGKILL' },
  )
  const measured = existsSync(result) ? JSON.parse(readFileSync(result, 'utf8')) : undefined
  if (error?.code === 'ETIMEDOUT') return { measured, failure: `${name}: not over after ${seconds} s` }
  if (signal !== null) return { measured, failure: `${name}: ended by ${signal}` }
  if (status !== 0) return { measured, failure: `${name}: exit code ${status}` }
  return { measured, failure: measured ? undefined : `${name}: it wrote no figures` }
}
