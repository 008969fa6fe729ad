import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { bench, measure, run } from 'mitata'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string', multiple: true } } })

/** Fewer samples, to see that everything runs. */
const quick = values.quick ?? false

/** Parts of the names of the arms that are wanted; all of them unless told. */
const only = values.only ?? []

/** What mitata measured of one arm, in nanoseconds. It leaves out the two lowest and highest of more than 12 samples. */
interface Stats {
  readonly min: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly avg: number
  readonly samples: readonly number[]
  readonly ticks: number
}

interface ArmOptions {
  /** Measure so many pieces of work, and leave none out: for a tail that is worth its name. Left to mitata unless told. */
  readonly count?: number
  /** The arm that does the same without this library. */
  readonly peer?: string
}

interface Arm extends ArmOptions {
  readonly name: string
  /** The arm that this one measures once more. */
  readonly again?: string
  /** Pieces of work in one call of `body`, whose time is divided by it. */
  readonly pieces: number
  readonly body: () => unknown
  /** The nanoseconds of one call; of arms that measure each of them. */
  readonly single: () => Promise<number>
}

const arms: Arm[] = []

/** Takes the time of the part of a piece of work that is to be measured. */
class Stopwatch {
  #started = Number.NaN
  #took = Number.NaN

  start(): void {
    this.#started = performance.now()
  }

  stop(): void {
    this.#took = performance.now() - this.#started
  }

  /** The nanoseconds from `start` to `stop`, once. */
  take(): number {
    const took = this.#took
    this.#started = this.#took = Number.NaN
    if (Number.isNaN(took)) throw new Error('an arm did not start and stop its watch')
    return took * 1e6
  }
}

/**
 * An arm whose samples are single pieces of work: `once` starts and stops the watch around what is measured, and checks
 * that it was done. Left to itself, mitata averages thousands of short ones, and shows the tail of the averages.
 */
export function latency(name: string, once: (watch: Stopwatch) => Promise<void>, options: ArmOptions = {}): void {
  throughput(name, 1, once, options)
}

/** An arm whose samples are `pieces` of work in flight together; the figures are of one of them. */
export function throughput(
  name: string,
  pieces: number,
  all: (watch: Stopwatch) => Promise<void>,
  options: ArmOptions = {},
): void {
  const watch = new Stopwatch()
  const manual = async () => {
    await all(watch)
    return watch.take() / pieces
  }
  arm({
    name,
    pieces,
    ...options,
    single: manual,
    body: function* () {
      yield { manual }
    },
  })
}

/** An arm of some nanoseconds, which mitata repeats and averages: it has no tail that means anything. */
export function brief(name: string, once: () => unknown, options: ArmOptions = {}): void {
  arm({ name, pieces: 1, ...options, body: once, single: () => Promise.reject(new Error('too brief to be measured')) })
}

function arm(added: Arm): void {
  if (arms.some(({ name }) => name === added.name)) throw new Error(`there are two arms '${added.name}'`)
  if (added.peer !== undefined && !arms.some(({ name }) => name === added.peer))
    throw new Error(`the peer of '${added.name}' must come before it: '${added.peer}'`)
  arms.push(added)
}

/** Fails the benchmark unless the work was done. */
export function expect(what: string, is: unknown, shouldBe: unknown): void {
  if (is !== shouldBe) throw new Error(`${what}: ${String(is)} instead of ${String(shouldBe)}`)
}

/** Measures the arms that were declared, prints them, and writes `bench/results/<suite>.json`. */
export async function runBench(suite: string): Promise<void> {
  const load = loadavg()[0]
  const chosen = choose()
  const measured = quick ? await measureBriefly(chosen) : await measureFully(chosen)
  const figures = chosen.map((arm) => figuresOf(arm, measured.get(arm.name)))
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, load }
  const facts = { suite, date: new Date().toISOString(), commit: commit() ?? null, quick, machine, figures }
  const folder = new URL('../../bench/results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${suite}.json`, folder), `${JSON.stringify(facts, undefined, 2)}\n`)
}

/** The wanted arms with their peers, and those peers once more at the end: the machine may not stay equally busy. */
function choose(): Arm[] {
  const wanted = arms.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
  const peers = new Set(wanted.map(({ peer }) => peer))
  const again = arms.filter(({ name }) => peers.has(name)).map((arm) => ({ ...arm, again: arm.name }))
  return [
    ...arms.filter((arm) => wanted.includes(arm) || peers.has(arm.name)),
    ...again.map((arm) => ({ ...arm, name: `${arm.name}, again` })),
  ]
}

async function measureFully(chosen: readonly Arm[]): Promise<Map<string, Stats>> {
  const all = new Map<string, Stats>()
  for (const arm of chosen) if (arm.count !== undefined) all.set(arm.name, await measureEach(arm, arm.count))
  const others = chosen.filter(({ count }) => count === undefined)
  if (others.length === 0) return all
  for (const { name, body } of others) bench(name, body)
  const { benchmarks } = await run({ throw: true, format: { mitata: { name: 'longest' } } })
  for (const { alias, runs } of benchmarks) {
    const stats = runs[0]?.stats
    if (stats !== undefined) all.set(alias, stats)
  }
  return all
}

async function measureEach({ name, single }: Arm, count: number): Promise<Stats> {
  const samples: number[] = []
  for (let i = 0; i < count; i++) samples.push(await single())
  samples.sort((a, b) => a - b)
  const at = (share: number) => samples[Math.min(count - 1, Math.ceil(share * count) - 1)] as number
  const avg = samples.reduce((sum, sample) => sum + sample, 0) / count
  const stats = {
    min: at(0.001),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  }
  console.log(
    `${name.padEnd(72)} ${count}: p50 ${(stats.p50 / 1e6).toFixed(1)} ms, p99 ${(stats.p99 / 1e6).toFixed(1)} ms`,
  )
  return { ...stats, avg, samples, ticks: count }
}

/** As `run`, which knows no way to be brief, and so takes no time to warm up but its long measurement. */
async function measureBriefly(chosen: readonly Arm[]): Promise<Map<string, Stats>> {
  const all = new Map<string, Stats>()
  for (const { name, body } of chosen) {
    await measure(body, { min_cpu_time: 40e6, min_samples: 1 })
    const stats = await measure(body, { min_cpu_time: 80e6, min_samples: 5 })
    console.log(`${name.padEnd(84)} ${(stats.p50 / 1000).toFixed(3).padStart(12)} µs`)
    all.set(name, stats)
  }
  return all
}

function figuresOf({ name, peer, again, pieces }: Arm, stats: Stats | undefined) {
  if (stats === undefined) throw new Error(`'${name}' was not measured`)
  const { min, p25, p50, p75, p99, p999, max, avg, samples, ticks } = stats
  const averaged = (pieces * ticks) / samples.length
  return { name, peer, again, averaged, samples: samples.length, min, p25, p50, p75, p99, p999, max, avg }
}

/** What was measured, if git knows; `-dirty` when that is not all. */
function commit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
      cwd: new URL('../../', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
