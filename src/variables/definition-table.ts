import { type Payload, pack, unpack } from '../threads/payload.js'
import { type Birth, type Known, StoredVariable } from './stored-variable.js'
import type { TableWriter } from './table-writer.js'
import { compileValidator } from './types/index.js'
import type { ValueTableMemory } from './value-table.js'

/** A variable as its definition keeps it: what the log need not tell. */
interface SavedVariable extends Known {
  readonly birth: Birth
}

/** The definitions of a context's variables, by number, in shared memory. */
export class DefinitionTable {
  readonly #table: TableWriter

  constructor(table: TableWriter) {
    this.#table = table
  }

  get memory(): ValueTableMemory {
    return this.#table.memory
  }

  /** Keeps what is known of a variable at a commit. @throws BeamlineError OVERFLOW, NOT_CLONEABLE */
  save(variable: StoredVariable, at: number, deletedAt?: number): void {
    const { birth, metadata, version, lease } = variable
    const said = version < 0 ? undefined : variable.said
    const saved: SavedVariable = { birth, metadata, at, version, said, deletedAt, lease }
    this.#table.write(`${birth.number}`, pack(saved), 0)
  }

  delete(number: number): void {
    this.#table.delete(`${number}`)
  }

  /** The variables that were defined by a commit up to this one, in order; what others there are never came to be. */
  async load(revision: number, history: number): Promise<StoredVariable[]> {
    const variables: StoredVariable[] = []
    for (const key of this.#table.names()) {
      // One without a value was being written when its writer died.
      const payload = this.#table.read(key)?.value as Payload | undefined
      const saved = payload && (unpack(payload) as SavedVariable)
      if (saved !== undefined && saved.birth.revision <= revision) variables.push(await revived(saved, history))
      else this.#table.delete(key)
    }
    return variables.sort((a, b) => a.number - b.number)
  }
}

async function revived(saved: SavedVariable, history: number): Promise<StoredVariable> {
  const { name, type, constraints } = saved.birth.definition
  const validator = await compileValidator(name, type, constraints)
  return new StoredVariable(saved.birth, validator, history, saved)
}
