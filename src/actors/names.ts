import { BeamlineError } from '../errors.js'
import { Pid, type RawPid } from '../threads/pid.js'
import { SharedMap, type SharedMapMemory } from '../threads/shared-map.js'
import type { ProcessTable } from './process-table.js'

const CLAIM = 0
const FREE = 0

/** A name held by a process: where it stands, and which claim on it this is. */
export interface NameClaim {
  readonly entry: number
  readonly claim: number
}

/**
 * Registered names in shared memory. Main alone grants them; every thread looks them up without a message; the thread
 * of a dying process gives its name back by one compare-and-swap, so that the name is free before anyone hears of the
 * death.
 */
export class NameTable {
  readonly #map: SharedMap
  readonly #processes: ProcessTable
  #claims = 0

  private constructor(map: SharedMap, processes: ProcessTable) {
    this.#map = map
    this.#processes = processes
  }

  static create(processes: ProcessTable): NameTable {
    return new NameTable(SharedMap.create({ words: 4 }), processes)
  }

  static attach(memory: SharedMapMemory, processes: ProcessTable): NameTable {
    return new NameTable(SharedMap.attach(memory), processes)
  }

  get memory(): SharedMapMemory {
    return this.#map.memory
  }

  lookup(name: string): RawPid | undefined {
    const words = this.#map.read(name)
    if (words === undefined) return undefined
    const [claim, thread, slot, generation] = words as unknown as [number, number, number, number]
    if (claim === FREE || !this.#processes.isAlive({ slot, generation })) return undefined
    return [thread, slot, generation]
  }

  /**
   * Gives `name` to `pid`. On main only.
   * @throws BeamlineError ALREADY_REGISTERED while a live process has the name
   */
  claim(name: string, pid: RawPid): NameClaim {
    const holder = this.lookup(name)
    if (holder !== undefined) {
      throw new BeamlineError('ALREADY_REGISTERED', `the name '${name}' belongs to a live process: choose another`, {
        details: { name, pid: Pid.fromRaw(this.#processes.memory.node, holder) },
      })
    }
    this.#claims = (this.#claims % 0x7fffffff) + 1
    this.#sweep()
    return { entry: this.#map.insert(name, [this.#claims, ...pid]), claim: this.#claims }
  }

  /** Frees a name; from any thread, and harmless when the name has gone to somebody else. */
  release({ entry, claim }: NameClaim): void {
    this.#map.compareExchange(entry, CLAIM, claim, FREE)
  }

  /** Forgets the entries of freed names now and then, so that short-lived names do not pile up. */
  #sweep(): void {
    if (this.#claims % 1024 !== 0) return
    for (const name of [...this.#map.keys()]) if (this.lookup(name) === undefined) this.#map.delete(name)
  }
}
