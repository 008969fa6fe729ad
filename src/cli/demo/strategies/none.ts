import type { Smoother } from '../smoothing.js'

/** Every value as it is. */
export function createSmoother(): Smoother {
  return (value) => value
}
