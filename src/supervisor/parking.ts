import type { ActorSystem } from '../actors/system.js'

const parkings = new WeakMap<ActorSystem, Parking>()

/** What no message can carry, such as a closure, left by one process of a thread for another. */
export class Parking {
  readonly #things = new Map<number, unknown>()
  #serial = 0

  /** The one of the thread on which `system` is seen. */
  static of(system: ActorSystem): Parking {
    const parking = parkings.get(system) ?? new Parking()
    parkings.set(system, parking)
    return parking
  }

  /** @returns the ticket by which it is taken */
  leave(thing: unknown): number {
    this.#things.set(++this.#serial, thing)
    return this.#serial
  }

  /** Whoever left something and is not waited for takes it back the same way. */
  take(ticket: number): unknown {
    const thing = this.#things.get(ticket)
    this.#things.delete(ticket)
    return thing
  }
}
