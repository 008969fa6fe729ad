import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { bench, run } from 'mitata'

/** Fewer samples, to see that everything runs. */
export const quick = process.argv.includes('--quick')

/** What one arm of a benchmark took, in nanoseconds. */
export interface Figures {
  readonly name: string
  readonly p50: number
  readonly p99: number
  readonly avg: number
  readonly samples: number
}

/**
 * Measures `once`, which returns the nanoseconds of one piece of work that it has seen done. Each sample is one piece:
 * mitata would otherwise average thousands of short ones, and its tail would be that of the averages.
 */
export function latency(name: string, once: () => Promise<number>): void {
  bench(name, function* () {
    yield { manual: once }
  })
}

/** Nanoseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start)
}

/** Runs what was declared, prints the table, and writes the figures beside it. */
export async function report(suite: string): Promise<Figures[]> {
  const { benchmarks } = await run({ throw: true })
  const figures = benchmarks.flatMap(({ alias, runs }) =>
    runs.flatMap(({ stats }) => {
      if (stats === undefined) return []
      const { p50, p99, avg, samples } = stats
      return [{ name: alias, p50, p99, avg, samples: samples.length }]
    }),
  )
  write(suite, figures)
  return figures
}

/** Writes figures as JSON, with the machine they are from. */
export function write(suite: string, figures: readonly Figures[]): void {
  const folder = new URL('../../bench/results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length }
  const text = JSON.stringify({ suite, date: new Date().toISOString(), quick, machine, figures }, undefined, 2)
  writeFileSync(new URL(`${suite}.json`, folder), `${text}\n`)
}

/** Figures of `rounds` runs of a throughput measurement, each the nanoseconds of one of `count` pieces of work. */
export async function throughput(name: string, count: number, once: () => unknown): Promise<Figures> {
  const rounds: number[] = []
  for (let round = 0; round < (quick ? 3 : 10); round++) rounds.push((await timed(once)) / count)
  rounds.sort((a, b) => a - b)
  const at = (part: number) => rounds[Math.min(rounds.length - 1, Math.floor(part * rounds.length))] as number
  const avg = rounds.reduce((sum, ns) => sum + ns, 0) / rounds.length
  const figures = { name, p50: at(0.5), p99: at(0.99), avg, samples: rounds.length }
  console.log(`${name.padEnd(58)} ${figures.p50.toFixed(0).padStart(9)} ns each`)
  return figures
}

/** Fails the benchmark unless the work was done. */
export function done(what: string, is: unknown, shouldBe: unknown): void {
  if (is !== shouldBe) throw new Error(`${what}: ${String(is)} instead of ${String(shouldBe)}`)
}
