import { LazyMap } from './lazy-map.js'

/** The open aliases of one process, by their serial. */
export class Aliases {
  readonly #open = new LazyMap<number, 'once' | 'always'>()

  open(serial: number, once: boolean): void {
    this.#open.set(serial, once ? 'once' : 'always')
  }

  /** @returns whether it was open */
  close(serial: number): boolean {
    return this.#open.delete(serial)
  }

  /** Whether a message to this alias may come in. */
  admits(serial: number): boolean {
    const found = this.#open.get(serial)
    if (found === 'once') this.close(serial)
    return found !== undefined
  }
}
