import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './scenario.mjs'
import { number, table, time, worth } from './text.mjs'

const programs = ['variables.exs', 'processes.exs']

/** Runs the same programs in Elixir. @returns their figures, or why there are none, or not all */
export function runElixir(scenarios, { quick }) {
  const { stdout: version, error } = spawnSync('elixir', ['--version'], { encoding: 'utf8' })
  if (error !== undefined)
    return { figures: [], failures: [], absence: 'elixir is not installed: its table is left out' }
  console.log('\n== elixir')
  const failures = []
  const figures = programs.flatMap((program) => {
    const args = [join(root, 'bench', 'elixir', program), ...scenarios, ...(quick ? ['--quick'] : [])]
    const { status, stdout } = spawnSync('elixir', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 240_000,
    })
    if (status !== 0) failures.push(`${program}: exit code ${status}`)
    return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  })
  return { version: version.trim().split('\n').at(-1), figures, failures }
}

/** Theirs with each of ours that does the same, and who takes less. */
export function elixirTable({ figures, version }, scenarios) {
  const rows = figures.flatMap((theirs) => {
    const ours = (scenarios.find(({ scenario }) => scenario === theirs.scenario)?.figures ?? []).filter(
      ({ what, size, by, cannot }) =>
        what === theirs.what && size === theirs.size && by === 'beamline' && cannot === undefined,
    )
    return ours.map((mine, index) => {
      const ratio = (theirs.p50 ?? theirs.value) / (mine.p50 ?? mine.value)
      const first =
        index === 0
          ? [[theirs.what, theirs.size?.toLocaleString('en')].filter(Boolean).join(', '), theirs.where]
          : ['', '']
      const tail = ({ averaged, samples, p99 }) => (averaged > 1 || !(samples >= 100) ? '' : time(p99))
      return [
        ...first,
        worth(theirs),
        tail(theirs),
        mine.where ?? '',
        worth(mine),
        tail(mine),
        ratio >= 1 ? `won, ${number(ratio)} ×` : `lost, ${number(1 / ratio)} ×`,
      ]
    })
  })
  if (rows.length === 0) return ''
  const head = ['the same in Elixir', 'there', 'median', 'p99', 'here', 'median', 'p99', '']
  return `${table(head, rows)}\n\n${version}\n`
}
