import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type Arm, amounts, arms, inabilities, libraryName, type Topic, titleOf } from './arm.js'
import { brisk, full, type Stats, statsOf } from './stats.js'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string', multiple: true } } })

/** Fewer and smaller samples, to see that everything runs. */
export const quick = values.quick ?? false

/** What the titles of the arms that are wanted have in them, where `*` stands for anything; all of them unless told. */
const only = (values.only ?? []).map((part) => {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(part.split('*').map(literal).join('.*'))
})

const root = new URL('../../../', import.meta.url)

/** Measures what was declared, prints it, and writes `bench/results/<scenario>.json`. */
export async function runBench(scenario: string): Promise<void> {
  const load = loadavg()[0]
  const chosen = choose()
  const figures: object[] = []
  for (const [arm, again] of chosen) {
    const stats = await statsOf(arm, quick ? brisk : full)
    print(`${titleOf(arm.topic)}${again ? ', again' : ''}`, `${(stats.p50 / 1000).toFixed(3)} µs`)
    figures.push(figureOf(arm, again, stats))
  }
  for (const { topic, unit, find } of amounts.filter(wanted)) {
    const value = await find()
    print(titleOf(topic), `${value.toFixed(2)} ${unit}`)
    figures.push({ ...named(topic), unit, value })
  }
  for (const { topic, why } of inabilities.filter(wanted)) figures.push({ ...named(topic), cannot: why })
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, load }
  const facts = { scenario, date: new Date().toISOString(), commit: commit() ?? null, quick, machine, figures }
  const folder = new URL('bench/results/', root)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${scenario}.json`, folder), `${JSON.stringify(facts, undefined, 2)}\n`)
}

function print(title: string, value: string): void {
  console.log(`${title.padEnd(88)} ${value.padStart(16)}`)
}

const wanted = ({ topic }: { readonly topic: Topic }) =>
  only.length === 0 || only.some((part) => part.test(titleOf(topic)))

/** The wanted arms with those they are held against, which come once more at the end: the machine may not stay equally busy. */
function choose(): [arm: Arm, again: boolean][] {
  const against = new Set(arms.filter(wanted).map((arm) => arm.against))
  return [
    ...arms.flatMap((arm): [Arm, boolean][] => (wanted(arm) || against.has(arm) ? [[arm, false]] : [])),
    ...arms.flatMap((arm): [Arm, boolean][] => (against.has(arm) ? [[arm, true]] : [])),
  ]
}

const named = ({ by = libraryName, ...topic }: Topic) => ({ ...topic, by, title: titleOf({ ...topic, by }) })

function figureOf({ topic, against }: Arm, again: boolean, stats: Stats) {
  return { ...named(topic), again, against: against && titleOf(against.topic), unit: 'ns', ...stats }
}

/** What was measured, if git knows; `-dirty` when that is not all. */
function commit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
