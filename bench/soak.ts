// Lets processes die under supervisors for minutes and looks whether anything of them stays:
//   npm run soak -- [--minutes N] [--crashes N]
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ActorSystem, Context, DynamicSupervisor, ObserverManager, type Pid, type Variable } from '../src/index.js'
import { eventually } from '../src/testing/eventually.js'
import { type Trend, trendOf } from './trend.js'
import type { Death, Victim } from './victims.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, crashes: { type: 'string', default: '10000' } },
})
const minutes = Number(values.minutes)
const crashes = Number(values.crashes)
if (!(minutes > 0 && crashes > 0)) throw new Error('give --minutes and --crashes above 0')

/** Samples in all, at most; the first half are a warm-up. */
const SAMPLES = 40
/** Growth of memory that is taken for a leak when it is more than its own uncertainty, in MB a minute… */
const GROWTH = 2
/** …and in all, in MB: by less it goes up and down from one sample to the next, as threads come and go. */
const NOISE = 12
const SHARED = 40
const module = new URL('./victims.js', import.meta.url)
const forEver = { maxRestarts: Number.POSITIVE_INFINITY }

interface Sample {
  readonly minutes: number
  readonly deaths: number
  readonly rss: number
  readonly heap: number
  readonly handles: Readonly<Record<string, number>>
  readonly threads: number
  readonly processes: number
  readonly observers: number
  readonly monitors: number
  readonly queue: number
}

/** Children that are restarted for ever, and how often they died. */
class Graveyard {
  readonly #system: ActorSystem
  readonly #dynamic: DynamicSupervisor
  readonly #variable: Variable<number>
  /** Who lives now, by what it is. */
  readonly #living = new Map<string, Pid>()
  deaths = 0

  constructor(system: ActorSystem, dynamic: DynamicSupervisor, variable: Variable<number>) {
    this.#system = system
    this.#dynamic = dynamic
    this.#variable = variable
  }

  async add(kind: string, what: 'victim' | 'watchingVictim', thread: number | 'isolated'): Promise<void> {
    const args = { boss: this.#system.self.pid, kind, context: 'soak' }
    await this.#dynamic.startChild({ start: { entry: { module, export: what }, args, options: { thread } } })
    await this.#birth(kind)
  }

  async #birth(kind: string): Promise<void> {
    const isIt = (message: unknown): message is Victim => (message as Victim).kind === kind
    this.#living.set(kind, (await this.#system.self.receive(isIt, { timeout: 60_000 })).born)
  }

  /** Lets a child die, by `kill` when it does not end by itself, and waits for the next one and a call's end. */
  async die(kind: string, how: Death): Promise<void> {
    const { self } = this.#system
    const pid = this.#living.get(kind) as Pid
    const call = self.call(pid, 'never answered', { timeout: Number.POSITIVE_INFINITY }).catch(() => 'settled')
    self.send(pid, how)
    if (how === 'hang') self.exit(pid, 'kill')
    await Promise.all([this.#birth(kind), call])
    this.deaths++
  }

  /** The same in the callback of a watch. */
  async dieWatching(kind: string, how: Death): Promise<void> {
    const { self } = this.#system
    const pid = this.#living.get(kind) as Pid
    self.send(pid, how)
    await self.receive((message) => pid.equals((message as { ready?: unknown }).ready))
    this.#variable.put(this.deaths)
    if (how === 'hang') self.exit(pid, 'kill')
    await this.#birth(kind)
    this.deaths++
  }
}

/** The first message of a victim is how it is to die, so a call is not answered; it is what settles when it is dead. */
async function storm(yard: Graveyard, count: number): Promise<void> {
  for (let done = 0; done < count; done += SHARED) {
    const some = Math.min(SHARED, count - done)
    await Promise.all(Array.from({ length: some }, (_, i) => yard.die(`shared ${i}`, 'throw')))
  }
}

async function round(yard: Graveyard): Promise<void> {
  await storm(yard, 5 * SHARED)
  await Promise.all([
    yard.die('isolated 0', 'hang'),
    yard.die('isolated 1', 'process.exit'),
    yard.die('isolated 2', 'throw'),
    yard.dieWatching('watcher', 'throw'),
    yard.dieWatching('isolated watcher', 'hang'),
  ])
}

function handles(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** What is open now and was not at the beginning. */
function leftOpen(): string[] {
  const kinds = process.getActiveResourcesInfo()
  for (const kind of before) if (kinds.includes(kind)) kinds.splice(kinds.indexOf(kind), 1)
  return kinds
}

const counted = (counts: Readonly<Record<string, number>>) =>
  Object.keys(counts)
    .sort()
    .map((kind) => `${kind} ${counts[kind]}`)
    .join(', ')

async function sample(system: ActorSystem, minutes: number, deaths: number): Promise<Sample> {
  const { self } = system
  await eventually(() => system.threads().filter(({ kind }) => kind === 'spare').length === 2, { timeout: 60_000 })
  for (const thread of [0, 1, 'system'] as const) {
    await system.spawn({ module, export: 'sweeper' }, undefined, { thread, monitor: true })
    await self.receive((message) => (message as { type?: string }).type === 'DOWN')
  }
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const info = await system.info(self.pid)
  return {
    minutes,
    deaths,
    rss: rss / 2 ** 20,
    heap: heapUsed / 2 ** 20,
    handles: handles(),
    threads: system.threads().length,
    processes: system.processes().length,
    observers: await ObserverManager.of(system).total(),
    monitors: (info?.monitors.length ?? 0) + (info?.links.length ?? 0),
    queue: info?.messageQueueLength ?? 0,
  }
}

const columns: readonly [title: string, cell: (sample: Sample) => string][] = [
  ['minutes', ({ minutes }) => minutes.toFixed(2)],
  ['deaths', ({ deaths }) => String(deaths)],
  ['RSS MB', ({ rss }) => rss.toFixed(1)],
  ['heap MB', ({ heap }) => heap.toFixed(1)],
  ['threads', ({ threads }) => String(threads)],
  ['processes', ({ processes }) => String(processes)],
  ['observers', ({ observers }) => String(observers)],
  ['links', ({ monitors }) => String(monitors)],
  ['queue', ({ queue }) => String(queue)],
]
const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(10)).join('')

const leaks = ({ perMinute, error }: Trend) =>
  perMinute > Math.max(GROWTH, NOISE / (minutes / 2)) && perMinute > 2 * error
const shown = ({ perMinute, error }: Trend) => `${perMinute.toFixed(2)} ± ${error.toFixed(2)} MB a minute`

/** What has stayed, one line each. */
function faultsOf(samples: readonly Sample[], trends: Readonly<Record<'rss' | 'heap', Trend>>): string[] {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample]
  const same = ['threads', 'processes', 'observers', 'monitors', 'queue'] as const
  const faults = same
    .filter((key) => first[key] !== last[key])
    .map((key) => `${key}: ${first[key]} at the beginning, ${last[key]} at the end`)
  const [before, after] = [counted(first.handles), counted(last.handles)]
  if (before !== after) faults.push(`handles: ${before} at the beginning, ${after} at the end`)
  for (const key of ['rss', 'heap'] as const)
    if (leaks(trends[key])) faults.push(`${key} grows by ${shown(trends[key])}`)
  return faults
}

// The pipes of its own output are no leak.
void [process.stdout, process.stderr]
const before = process.getActiveResourcesInfo()
const system = await ActorSystem.start({ threads: 2, spares: 2 })
const context = await Context.start(system, { id: 'soak', thread: 'system' })
const dynamic = await DynamicSupervisor.start(system, forEver)
const yard = new Graveyard(system, dynamic, await context.define('x', 'integer', 0))
for (let i = 0; i < SHARED; i++) await yard.add(`shared ${i}`, 'victim', i % 2)
for (let i = 0; i < 3; i++) await yard.add(`isolated ${i}`, 'victim', 'isolated')
await yard.add('watcher', 'watchingVictim', 0)
await yard.add('isolated watcher', 'watchingVictim', 'isolated')
await round(yard)

const begun = performance.now()
const stormed = yard.deaths
await storm(yard, crashes)
const took = (performance.now() - begun) / 1000
const restarted = yard.deaths - stormed
console.log(`${crashes} crashes, ${restarted} restarts, in ${took.toFixed(1)} s\n`)

const start = performance.now()
const samples: Sample[] = []
console.log(row(columns.map(([title]) => title)))
const elapsed = () => (performance.now() - start) / 60_000
for (;;) {
  const one = await sample(system, elapsed(), yard.deaths)
  samples.push(one)
  console.log(row(columns.map(([, cell]) => cell(one))))
  if (samples.length > 3 && elapsed() >= minutes) break
  do await round(yard)
  while (elapsed() < one.minutes + minutes / SAMPLES)
}
const warm = samples.slice(Math.floor(samples.length / 2) - 1)
const trend = (key: 'rss' | 'heap') => trendOf(warm.map((one) => ({ minutes: one.minutes, value: one[key] })))
const trends = { rss: trend('rss'), heap: trend('heap') }
const faults = faultsOf(samples, trends)
if (restarted !== crashes) faults.push(`${crashes} crashes, but ${restarted} restarts`)
await dynamic.stop()
await context.stop()
await system.stop()
await eventually(() => leftOpen().length === 0).catch(() => {
  faults.push(`handles were left open by the system: ${leftOpen().join(', ')}`)
})

const folder = new URL('../../bench/results/', import.meta.url)
mkdirSync(folder, { recursive: true })
const facts = { date: new Date().toISOString(), node: process.version, minutes, crashes, restarted, took }
writeFileSync(new URL('soak.json', folder), `${JSON.stringify({ ...facts, trends, faults, samples }, undefined, 2)}\n`)
console.log(`\nRSS after the warm-up: ${shown(trends.rss)}; heap of the main thread: ${shown(trends.heap)}`)
console.log(`handles: ${counted((samples[0] as Sample).handles)}`)
for (const fault of faults) console.error(`LEAK ${fault}`)
console.log(faults.length === 0 ? 'nothing has stayed' : `${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
