import { Process } from '../process.js'

/** Any function of a user's, as an agent runs it. */
export type AnyFunction = (...args: never[]) => unknown

/**
 * The closures that wait for one agent: messages are copied even within a thread, so a closure waits here and only its
 * number is sent.
 */
export class Closures {
  readonly #waiting = new Map<number, AnyFunction>()
  #last = 0

  get size(): number {
    return this.#waiting.size
  }

  add(closure: AnyFunction): number {
    this.#waiting.set(++this.#last, closure)
    return this.#last
  }

  take(number: number): AnyFunction | undefined {
    const closure = this.#waiting.get(number)
    this.#waiting.delete(number)
    return closure
  }
}

const key = Symbol('closures for agents')

/** Of the agents of the thread on which `process` lives, by pid. Those of a dead agent are gone with it. */
export function closuresOf(process: Process): Map<string, Closures> {
  return Process.hostOf(process).service(key, () => new Map<string, Closures>())
}
