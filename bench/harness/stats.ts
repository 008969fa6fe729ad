import { measure } from 'mitata'
import type { Arm } from './arm.js'

/** The times of one piece of work, in nanoseconds. */
export interface Stats {
  readonly samples: number
  /** Pieces of work whose average one sample is. */
  readonly averaged: number
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

export const full: Effort = { warmUp: 150e6, time: 600e6, samples: 12, most: Number.POSITIVE_INFINITY }
/** To see that everything runs. */
export const brisk: Effort = { warmUp: 0, time: 10e6, samples: 2, most: 3 }

/** Measures an arm. */
export async function statsOf(arm: Arm, effort: Effort): Promise<Stats> {
  if (arm.count !== undefined) return eachOf(arm, Math.min(arm.count, effort.most))
  if (effort.warmUp > 0) await measure(arm.body, { min_cpu_time: effort.warmUp, min_samples: 1 })
  const { samples, ticks, ...stats } = await measure(arm.body, {
    min_cpu_time: effort.time,
    min_samples: effort.samples,
  })
  const { min, p25, p50, p75, p99, p999, max, avg } = stats
  const averaged = (arm.pieces * ticks) / samples.length
  return { samples: samples.length, averaged, min, p25, p50, p75, p99, p999, max, avg }
}

/** Mitata leaves out the two lowest and highest of its samples, and decides itself how many it takes. */
async function eachOf({ single, pieces }: Arm, count: number): Promise<Stats> {
  const samples: number[] = []
  for (let i = 0; i < count; i++) samples.push(await single())
  samples.sort((a, b) => a - b)
  const at = (share: number) => samples[Math.max(0, Math.ceil(share * count) - 1)] as number
  return {
    samples: count,
    averaged: pieces,
    min: at(0),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
    avg: samples.reduce((sum, sample) => sum + sample, 0) / count,
  }
}
