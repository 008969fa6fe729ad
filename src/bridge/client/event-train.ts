import type { Batch, Event } from '../gen/snakepit/bridge/watch/v1/watch.js'

/** The events of a watch as their batches bring them: a revision is handed on once all of it is there. */
export class EventTrain {
  /** What the last batch has said. */
  through: number
  #parts: Event[] = []

  constructor(through: number) {
    this.through = through
  }

  /** Up to which every revision is whole. */
  get whole(): number {
    const [part] = this.#parts
    return part === undefined ? this.through : Math.min(this.through, part.revision - 1)
  }

  /** Takes in a batch that follows. @returns the events of the revisions that are whole now */
  take({ through, events }: Batch): Event[] {
    this.through = through
    const all = this.#parts.length === 0 ? events : [...this.#parts, ...events]
    let end = all.length
    while (end > 0 && all[end - 1]?.more) end--
    this.#parts = all.slice(end)
    return end === all.length ? all : all.slice(0, end)
  }

  /** Nothing that is watched has happened up to `through`. @returns up to which every revision is whole */
  pass(through: number): number {
    if (this.#parts.length === 0) this.through = Math.max(this.through, through)
    return this.whole
  }
}
