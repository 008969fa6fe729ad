import { Stopwatch } from './stopwatch.js'

/** What an arm measures. */
export interface Topic {
  /** The work; arms with the same name of it are compared. */
  readonly what: string
  /** Where it is done, when it can be done in several places. */
  readonly where?: string
  /** Who does it: this library unless told. */
  readonly by?: string
  /** Of how many things, in an arm that shows how a cost grows. */
  readonly size?: number
}

export interface ArmOptions {
  /** Measure so many pieces of work, and leave none out: for a tail that is worth its name. Left to mitata unless told. */
  readonly count?: number
  /** The arm that does the same, or the least of it, without this library: it is measured once more at the end. */
  readonly against?: Arm
}

export interface Arm extends ArmOptions {
  readonly topic: Topic
  /** Pieces of work in one call of `body`, whose time is divided by it. */
  readonly pieces: number
  /** Whether it takes some nanoseconds, so that only the time of many is known. */
  readonly brief: boolean
  /** What mitata is given. */
  readonly body: () => unknown
  /** The nanoseconds of one piece; of arms that measure each of them. */
  readonly single: () => Promise<number>
}

/** A figure that is no time. */
export interface Amount {
  readonly topic: Topic
  readonly unit: 'bytes' | 'percent' | 'ns'
  readonly find: () => Promise<number>
}

/** What somebody has no way to do. */
export interface Inability {
  readonly topic: Topic
  readonly why: string
}

export const arms: Arm[] = []
export const amounts: Amount[] = []
export const inabilities: Inability[] = []

export const libraryName = 'beamline'

/** How a topic is called in tables. */
export const titleOf = ({ what, where, by = libraryName, size }: Topic): string =>
  [what, where, size?.toLocaleString('en')].filter((part) => part !== undefined).join(', ') + (by ? `: ${by}` : '')

/**
 * An arm whose samples are single pieces of work: `once` starts and stops the watch around what is measured, and checks
 * that it was done. Left to itself, mitata averages thousands of short ones, and shows the tail of the averages.
 */
export function latency(topic: Topic, once: (watch: Stopwatch) => Promise<void>, options: ArmOptions = {}): Arm {
  return throughput(topic, 1, once, options)
}

/** An arm whose samples are `pieces` of work that belong together; the figures are of one of them. */
export function throughput(
  topic: Topic,
  pieces: number,
  all: (watch: Stopwatch) => Promise<void>,
  options: ArmOptions = {},
): Arm {
  const watch = new Stopwatch()
  const single = async () => {
    await all(watch)
    return watch.take() / pieces
  }
  const body = function* () {
    yield { manual: single }
  }
  return declare({ topic, pieces, brief: false, ...options, single, body })
}

/** An arm of some nanoseconds, which mitata repeats and averages: it has no tail that means anything. */
export function brief(topic: Topic, once: () => unknown, options: ArmOptions = {}): Arm {
  const single = () => Promise.reject(new Error(`${titleOf(topic)} is too brief to be measured one by one`))
  return declare({ topic, pieces: 1, brief: true, ...options, single, body: once })
}

function declare(arm: Arm): Arm {
  const title = titleOf(arm.topic)
  if (arms.some(({ topic }) => titleOf(topic) === title)) throw new Error(`there are two arms '${title}'`)
  arms.push(arm)
  return arm
}

/** Declares a figure that is found once, after all arms were measured. */
export function amount(topic: Topic, unit: Amount['unit'], find: () => Promise<number>): void {
  amounts.push({ topic, unit, find })
}

/** Says that somebody has no way to do this. */
export function cannot(topic: Topic & { readonly by: string }, why: string): void {
  inabilities.push({ topic, why })
}

/** Fails the benchmark unless the work was done. */
export function expect(what: string, is: unknown, shouldBe: unknown): void {
  if (is !== shouldBe) throw new Error(`${what}: ${String(is)} instead of ${String(shouldBe)}`)
}
