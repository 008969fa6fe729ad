/** A timer that a {@link Clock} gave. */
export type Timer = object

/** Where time comes from. Every wait in the library goes through one, so that tests can turn the hands. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  setTimeout(callback: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
}

/** Longer waits than this, 24.8 days, Node would not wait at all. */
const LONGEST = 2 ** 31 - 1

/** The time of the machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, LONGEST)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
