/** A measure over time. */
export interface Point {
  readonly minutes: number
  readonly value: number
}

/** A straight line through points, by least squares. */
export interface Trend {
  /** What is added in a minute. */
  readonly perMinute: number
  /** The standard error of that. */
  readonly error: number
}

/** At least three points are needed. */
export function trendOf(points: readonly Point[]): Trend {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = mean(points.map(({ minutes }) => minutes))
  const y = mean(points.map(({ value }) => value))
  const spread = points.reduce((sum, { minutes }) => sum + (minutes - x) ** 2, 0)
  const perMinute = points.reduce((sum, { minutes, value }) => sum + (minutes - x) * (value - y), 0) / spread
  const rest = points.reduce((sum, { minutes, value }) => sum + (value - y - perMinute * (minutes - x)) ** 2, 0)
  return { perMinute, error: Math.sqrt(rest / (points.length - 2) / spread) }
}
