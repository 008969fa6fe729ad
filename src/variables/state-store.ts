import type { Metadata } from './change.js'
import { type Checked, encoded, wordsOf } from './checked-write.js'
import { DefinitionTable } from './definition-table.js'
import { defined, deleted, headUnits, type LogKind, type LogRecord, recordUnits, written } from './log-half.js'
import { LogKeeper } from './log-keeper.js'
import { SharedLog, type SharedLogMemory } from './shared-log.js'
import type { StoredVariable } from './stored-variable.js'
import { TableWriter } from './table-writer.js'
import { absent, contentOf, missing, structured, type Tag, tagOf } from './value-codec.js'
import type { ValueTableMemory } from './value-table.js'

/** All that a context has acknowledged, in memory that outlives its thread; send it in any message. */
export interface StateMemory {
  readonly table: ValueTableMemory
  readonly definitions: ValueTableMemory
  readonly log: SharedLogMemory
}

/**
 * What a context has acknowledged, written so that the death of its thread at any instant leaves each commit whole or
 * undone. A commit is prepared in the table of values, where it may still be refused; it becomes real when it is published
 * in the log; then the prepared values become the ones that are read. What a death leaves undone of that last part the
 * log tells, and {@link recover} does it.
 */
export class StateStore {
  readonly #table: TableWriter
  readonly #definitions: DefinitionTable
  readonly #log: SharedLog
  /** Deleted variables among them, as long as the log tells of them. */
  readonly #variables = new Map<number, StoredVariable>()
  readonly #keeper: LogKeeper

  private constructor(table: TableWriter, definitions: DefinitionTable, log: SharedLog) {
    this.#table = table
    this.#definitions = definitions
    this.#log = log
    this.#keeper = new LogKeeper(log, definitions, this.#variables)
  }

  /** @param log how many changes are kept at least */
  static create(log: number): StateStore {
    return new StateStore(TableWriter.create(), new DefinitionTable(TableWriter.create()), SharedLog.create(log))
  }

  /** Makes the calling thread the only writer of a state whose writer has died. */
  static async recover(memory: StateMemory, log: number, history: number): Promise<StateStore> {
    const definitions = new DefinitionTable(TableWriter.recover(memory.definitions))
    const recovered = new StateStore(TableWriter.recover(memory.table), definitions, SharedLog.recover(memory.log, log))
    for (const variable of await definitions.load(recovered.revision, history))
      recovered.#variables.set(variable.number, variable)
    recovered.#replay()
    return recovered
  }

  get memory(): StateMemory {
    return { table: this.#table.memory, definitions: this.#definitions.memory, log: this.#log.memory }
  }

  /** The last commit. */
  get revision(): number {
    return this.#log.revision
  }

  /** What it has of the past. */
  get log(): SharedLog {
    return this.#log
  }

  /** Numbers below this one are not given any more. */
  skipNumbers(first: number): void {
    this.#log.numbers = Math.max(this.#log.numbers, first)
  }

  /** A number for a variable that had this one elsewhere: the same if it was never given. */
  numberFor(number: number): number {
    // No number is given twice: somebody may still write by it.
    if (number < this.#log.numbers) return this.nextNumber()
    this.skipNumbers(number + 1)
    return number
  }

  /** A number for the next variable. */
  nextNumber(): number {
    return this.#log.numbers++
  }

  /** The variable with this number, also when it has been deleted and the log still tells of it. */
  variable(number: number): StoredVariable | undefined {
    return this.#variables.get(number)
  }

  /** Those that are there, in the order of their definitions. */
  variables(): StoredVariable[] {
    return [...this.#variables.values()].filter(({ entry }) => entry >= 0)
  }

  /** @throws BeamlineError OVERFLOW, NOT_CLONEABLE; then nothing has changed */
  define(variable: StoredVariable, value: unknown, said: Metadata | undefined): void {
    const { name, birth } = variable
    const tag = tagOf(value)
    const content = contentOf(name, tag, value)
    const words = wordsOf(name, said)
    variable.entry = this.#table.open(name)
    this.#table.number(variable.entry, variable.number)
    try {
      this.#table.prepare(variable, tag, content, 0, birth.revision, birth.createdAt)
      this.#definitions.save(variable, this.revision)
      this.#keeper.reserve(recordUnits(tag, content, absent, undefined, words))
    } catch (error) {
      this.#definitions.delete(variable.number)
      this.#table.delete(name)
      throw error
    }
    this.#append(defined, variable, 0, birth.revision, birth.createdAt, tag, content, words)
    this.#log.publish(birth.revision)
    this.#table.flip(variable.entry)
    this.#variables.set(variable.number, variable)
    if (variable.commit(0, value, birth.revision, birth.createdAt, said)) this.#keeper.unsaved(variable)
  }

  /** Keeps what a definition has besides the log. @throws BeamlineError OVERFLOW */
  save(variable: StoredVariable): void {
    this.#keeper.save(variable)
  }

  /**
   * Takes in a variable that has a past elsewhere, with the value that it has. The log does not tell of it: it goes on from
   * there, by {@link restart}.
   * @throws as {@link define}
   */
  adopt(variable: StoredVariable): void {
    const { name, number, value, version, revision, timestamp } = variable
    const tag = tagOf(value)
    const content = contentOf(name, tag, value)
    variable.entry = this.#table.open(name)
    this.#table.number(variable.entry, number)
    this.#table.prepare(variable, tag, content, version, revision, timestamp)
    this.#definitions.save(variable, revision)
    this.#table.flip(variable.entry)
    this.#variables.set(number, variable)
    this.skipNumbers(number + 1)
  }

  /** Takes a variable away of which the log is not to tell. */
  abandon(variable: StoredVariable): void {
    this.#table.delete(variable.name)
    this.#keeper.abandon(variable)
  }

  /** The log forgets what it has: the next commit follows on `revision`. What it alone knew must have been adopted anew. */
  restart(revision: number): void {
    this.#keeper.restart(revision)
  }

  /** One commit of one value. Allocates nothing for a scalar of which nothing is said. @throws as {@link define} */
  write(variable: StoredVariable, value: unknown, now: number, said: Metadata | undefined): void {
    if (typeof value === 'number' && said === undefined && this.#writeNumber(variable, value, now)) return
    const { name, entry } = variable
    const version = variable.version + 1
    const revision = this.#log.revision + 1
    const tag = tagOf(value)
    const content = contentOf(name, tag, value)
    const words = wordsOf(name, said)
    this.#table.prepare(variable, tag, content, version, revision, now)
    const tagBefore = this.#table.tagOf(entry)
    const before = this.#before(variable, tagBefore)
    try {
      this.#keeper.reserve(recordUnits(tag, content, tagBefore, before, words))
    } catch (error) {
      this.#table.undo(entry)
      throw error
    }
    this.#log.append(written, variable.number, revision, version, now, tag, content, tagBefore, before, words)
    this.#log.publish(revision)
    this.#table.flip(entry)
    if (variable.commit(version, value, revision, now, said)) this.#keeper.unsaved(variable)
  }

  /** Most writes: where a number takes the place of another, nothing can be refused, and so nothing need be prepared. */
  #writeNumber(variable: StoredVariable, value: number, now: number): boolean {
    const { entry, value: before } = variable
    if (typeof before !== 'number' || !this.#table.takesNumber(entry)) return false
    this.#keeper.reserve(headUnits)
    const version = variable.version + 1
    const revision = this.#log.revision + 1
    this.#log.commitNumber(variable.number, revision, version, now, value, before)
    this.#table.writeNumber(entry, value, version, revision, now)
    if (variable.commit(version, value, revision, now, undefined)) this.#keeper.unsaved(variable)
    return true
  }

  /** One commit of several values, each of another variable. @throws as {@link define} */
  writeAll(items: readonly Checked[], now: number): void {
    const revision = this.#log.revision + 1
    const parts = items.map(encoded)
    try {
      for (const { variable, tag, content } of parts)
        this.#table.prepare(variable, tag, content, variable.version + 1, revision, now)
      const units = parts.map(({ variable, tag, content, words }) => this.#units(variable, tag, content, words))
      this.#keeper.reserve(units.reduce((sum, one) => sum + one, 0))
    } catch (error) {
      for (const { variable } of parts) this.#table.undo(variable.entry)
      throw error
    }
    for (const { variable, tag, content, words } of parts)
      this.#append(written, variable, variable.version + 1, revision, now, tag, content, words)
    this.#log.publish(revision)
    for (const { variable, value, said } of parts) {
      this.#table.flip(variable.entry)
      if (variable.commit(variable.version + 1, value, revision, now, said)) this.#keeper.unsaved(variable)
    }
  }

  delete(variable: StoredVariable, now: number): void {
    const revision = this.#log.revision + 1
    this.#keeper.reserve(this.#units(variable, missing, undefined, undefined))
    this.#append(deleted, variable, variable.version, revision, now, missing, undefined, undefined)
    this.#log.publish(revision)
    this.#table.delete(variable.name)
    this.#keeper.bury(variable, revision)
  }

  /** All that is kept, oldest first. */
  readonly records = (): IterableIterator<LogRecord> => this.#log.records()

  keepsAllAfter(revision: number): boolean {
    return revision >= this.#log.compacted
  }

  /** What is kept of some variables after a revision. @throws BeamlineError COMPACTED */
  *since(revision: number, isWanted: (variable: StoredVariable) => boolean) {
    const wanted = (number: number) => {
      const variable = this.#variables.get(number)
      return variable !== undefined && isWanted(variable)
    }
    for (const record of this.#log.since(revision, wanted))
      yield (this.#variables.get(record.number) as StoredVariable).logged(record)
  }

  /** The table has the value before, as nothing was flipped yet. */
  #units(variable: StoredVariable, tag: Tag, content: unknown, words: Buffer | undefined): number {
    const tagBefore = this.#table.tagOf(variable.entry)
    return recordUnits(tag, content, tagBefore, this.#before(variable, tagBefore), words)
  }

  #append(
    kind: LogKind,
    variable: StoredVariable,
    version: number,
    revision: number,
    now: number,
    tag: Tag,
    content: unknown,
    words: Buffer | undefined,
  ): void {
    const tagBefore = this.#table.tagOf(variable.entry)
    const before = this.#before(variable, tagBefore)
    this.#log.append(kind, variable.number, revision, version, now, tag, content, tagBefore, before, words)
  }

  #before(variable: StoredVariable, tag: Tag): unknown {
    return tag === absent ? undefined : tag === structured ? this.#table.bytesOf(variable.entry) : variable.value
  }

  /** Brings the variables, of which only the definitions are known, to where the log ends. */
  #replay(): void {
    for (const variable of this.#variables.values()) {
      if (variable.deletedAt === undefined) variable.entry = 0
      else this.#keeper.bury(variable, variable.deletedAt)
    }
    this.#keeper.sort()
    const last: LogRecord[] = []
    for (const record of this.#log.records()) {
      const variable = this.#variables.get(record.number)
      if (variable === undefined) continue
      if (record.revision === this.revision) last.push(record)
      const isDeleted = record.kind === deleted
      if (isDeleted && variable.entry >= 0) this.#keeper.bury(variable, record.revision)
      else if (!isDeleted && variable.restore(record)) this.#keeper.unsaved(variable)
    }
    const living = new Map(this.variables().map((variable) => [variable.name, variable]))
    for (const name of this.#table.names()) if (!living.has(name)) this.#table.delete(name)
    for (const { number, version, value, revision, timestamp } of last) {
      const { name, entry } = this.#variables.get(number) as StoredVariable
      if (entry >= 0 && this.#table.read(name)?.version !== version)
        this.#table.write(name, value, version, revision, timestamp)
    }
    for (const variable of living.values()) this.#place(variable)
  }

  /** Finds a variable's place; its value is there, too, when the log no longer tells of it. */
  #place(variable: StoredVariable): void {
    const { name, version } = variable
    variable.entry = this.#table.open(name)
    const present = version < 0 ? this.#table.read(name) : undefined
    if (present !== undefined) variable.present(present.version, present.value, this.#table.origin(variable.entry))
  }
}
