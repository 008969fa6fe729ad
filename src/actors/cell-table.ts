import type { Pid } from '../threads/pid.js'
import type { Cell } from './cell.js'
import { CHUNK } from './process-table.js'

/** The processes of one thread, by their place: an array for each chunk of places that the thread has in the process table. */
export class CellTable {
  readonly #chunks = new Map<number, (Cell | undefined)[]>()
  #size = 0
  /** The one that was found last: signals come in rows. */
  #last: Cell | undefined

  get size(): number {
    return this.#size
  }

  /** The live process `pid`. */
  get(pid: Pid): Cell | undefined {
    const cell = this.find(pid.slot, pid.generation)
    return cell?.pid.equals(pid) ? cell : undefined
  }

  /** The live process of this thread with these numbers. */
  find(slot: number, generation: number): Cell | undefined {
    const last = this.#last
    if (last !== undefined && last.pid.slot === slot && last.pid.generation === generation) return last
    const cell = this.#chunks.get(Math.floor(slot / CHUNK))?.[slot % CHUNK]
    if (cell?.pid.generation !== generation) return undefined
    this.#last = cell
    return cell
  }

  add(cell: Cell): void {
    const { slot } = cell.pid
    const chunk = Math.floor(slot / CHUNK)
    let cells = this.#chunks.get(chunk)
    if (cells === undefined) {
      cells = new Array(CHUNK).fill(undefined)
      this.#chunks.set(chunk, cells)
    }
    cells[slot % CHUNK] = cell
    this.#size++
  }

  delete({ slot }: Pid): void {
    if (this.#last?.pid.slot === slot) this.#last = undefined
    const cells = this.#chunks.get(Math.floor(slot / CHUNK))
    if (cells === undefined || cells[slot % CHUNK] === undefined) return
    cells[slot % CHUNK] = undefined
    this.#size--
  }

  *values(): Iterable<Cell> {
    for (const cells of this.#chunks.values()) for (const cell of cells) if (cell !== undefined) yield cell
  }
}
