import type { Cell } from './cell.js'

/** A start that has only so much time, on the thread of the new process, which may not have been born yet. */
export class Attempt {
  cell: Cell | undefined
  #cancelled = false

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** The time is over: the process dies, or will never be. @returns whether it was born */
  cancel(): boolean {
    this.#cancelled = true
    this.cell?.exit('killed')
    return this.cell !== undefined
  }
}

/** Nobody waits any more for a process that is not born yet. */
export class GivenUp extends Error {}
