/** A timer that a {@link Clock} gave. */
export type Timer = object

/** Where time comes from. Every wait in the library goes through one, so that tests can turn the hands. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  setTimeout(callback: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
}

/** The time of the machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
