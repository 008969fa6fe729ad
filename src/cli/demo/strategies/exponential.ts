import type { Smoother } from '../smoothing.js'

const WEIGHT = 0.15

/** Each value counts for some of the result, all before it for the rest. */
export function createSmoother(): Smoother {
  let smooth: number | undefined
  return (value) => {
    smooth = smooth === undefined ? value : smooth + WEIGHT * (value - smooth)
    return smooth
  }
}
