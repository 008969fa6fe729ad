import type { Smoother } from '../smoothing.js'

const SIZE = 20

/** The mean of the last twenty values. */
export function createSmoother(): Smoother {
  const values: number[] = []
  return (value) => {
    values.push(value)
    if (values.length > SIZE) values.shift()
    return values.reduce((sum, one) => sum + one, 0) / values.length
  }
}
