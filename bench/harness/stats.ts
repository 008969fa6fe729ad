import { measure } from 'mitata'
import type { Arm } from './arm.js'

/** The times of one piece of work, in nanoseconds. */
export interface Stats {
  readonly samples: number
  /** Pieces of work whose average one sample is. */
  readonly averaged: number
  /** The lowest of the medians of the windows: what the machine does while nobody else disturbs it. */
  readonly quiet: number
  readonly min: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly avg: number
}

/** How long and how often an arm is measured. */
interface Effort {
  /** Nanoseconds for mitata to warm up in, and to measure. */
  readonly warmUp: number
  readonly time: number
  readonly samples: number
  /** The most pieces that are measured one by one. */
  readonly most: number
}

export const full: Effort = { warmUp: 150e6, time: 600e6, samples: 15, most: Number.POSITIVE_INFINITY }
/** To see that everything runs. */
export const brisk: Effort = { warmUp: 0, time: 10e6, samples: 2, most: 3 }

/** The time is cut into so many pieces, one after another. */
const WINDOWS = 5
/** Whether a call is one of a batch is said by the arm, and not left to how long its first one took. */
const batching = { batch_threshold: Number.POSITIVE_INFINITY, warmup_threshold: Number.POSITIVE_INFINITY }

/** Measures an arm. */
export async function statsOf(arm: Arm, effort: Effort): Promise<Stats> {
  if (arm.count !== undefined) return eachOf(arm, Math.min(arm.count, effort.most))
  if (effort.warmUp > 0) await measure(arm.body, { ...batching, min_cpu_time: effort.warmUp, min_samples: 1 })
  const windows: number[][] = []
  let calls = 0
  for (let taken = 0; windows.length < WINDOWS || taken < effort.samples; taken += windows.at(-1)?.length ?? 0) {
    const { samples, ticks } = await measure(arm.body, {
      ...batching,
      min_cpu_time: effort.time / WINDOWS,
      min_samples: Math.ceil(effort.samples / WINDOWS),
    })
    calls = ticks / samples.length
    windows.push(samples)
  }
  return summary(windows, arm.pieces * calls)
}

/** Mitata leaves out the two lowest and highest of its samples, and decides itself how many it takes. */
async function eachOf({ single, pieces }: Arm, count: number): Promise<Stats> {
  const windows: number[][] = []
  for (let i = 0; i < count; i++) {
    const window = Math.floor((i * WINDOWS) / count)
    windows[window] ??= []
    windows[window].push(await single())
  }
  return summary(Object.values(windows), pieces)
}

function summary(windows: readonly number[][], averaged: number): Stats {
  const samples = windows.flat().sort((a, b) => a - b)
  return {
    samples: samples.length,
    averaged,
    quiet: Math.min(
      ...windows.map((window) =>
        at(
          window.toSorted((a, b) => a - b),
          0.5,
        ),
      ),
    ),
    min: at(samples, 0),
    p25: at(samples, 0.25),
    p50: at(samples, 0.5),
    p75: at(samples, 0.75),
    p99: at(samples, 0.99),
    p999: at(samples, 0.999),
    max: at(samples, 1),
    avg: samples.reduce((sum, sample) => sum + sample, 0) / samples.length,
  }
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
