import type { Transfer } from '../../threads/payload.js'

/** A task's result of which some parts are moved to its owner instead of copied. */
export class Moved {
  readonly value: unknown
  readonly transfer: Transfer

  constructor(value: unknown, transfer: Transfer) {
    this.value = value
    this.transfer = transfer
  }

  /** What a function returned: its value, and what moves with it. */
  static of(result: unknown): Moved {
    return result instanceof Moved ? result : new Moved(result, [])
  }
}
