import { BeamlineError } from '../../errors.js'
import type { Mirror } from './mirror.js'

/** How many variables a session may have: those that are there, and those that are being defined. */
export class Room {
  readonly #mirror: Pick<Mirror, 'count' | 'named'>
  #coming = 0

  constructor(mirror: Pick<Mirror, 'count' | 'named'>) {
    this.#mirror = mirror
  }

  /**
   * Runs a definition, if there is room for it.
   * @param define resolves once the mirror has the variable
   * @throws BeamlineError EXHAUSTED
   */
  async define<T>(name: string, most: number, define: () => Promise<T>): Promise<T> {
    // Of a name that is there the context says so itself.
    if (this.#mirror.named(name) === undefined) assertRoom(this.#mirror.count + this.#coming + 1, most)
    this.#coming++
    try {
      return await define()
    } finally {
      this.#coming--
    }
  }
}

/** @throws BeamlineError EXHAUSTED */
export function assertRoom(count: number, most: number): void {
  if (count <= most) return
  const text = `a session has ${most} variables at most`
  throw new BeamlineError('EXHAUSTED', text, { details: { limit: 'maxVariables' } })
}
