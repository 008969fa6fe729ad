import { randomBytes } from 'node:crypto'
import { BeamlineError, shown } from '../errors.js'
import type { Change, HistoryEntry, VariableInfo } from './change.js'
import { ChangeLog } from './change-log.js'
import { Glob } from './glob.js'
import { checkMetadata } from './metadata.js'
import {
  type BatchCommit,
  type Commit,
  type Definition,
  type StateProvider,
  unknownVariable,
  type Write,
} from './state.js'
import { StoredVariable } from './stored-variable.js'
import { compileValidator, type Validator } from './types/index.js'
import type { ValueTable } from './value-table.js'

/** How much of the past a context keeps. */
export interface Retention {
  /** Values kept of each variable, the present one included. */
  readonly history: number
  /** Changes kept of the whole context. */
  readonly log: number
}

/** A write that has passed, and the value it leaves. */
type Checked = readonly [variable: StoredVariable, value: unknown, write: Write]

const MAX_NAME = 255

/** The variables of a context in the memory of its actor; present values also stand in shared memory. */
export class LocalState implements StateProvider {
  readonly backend = 'local'
  readonly #variables = new Map<string, StoredVariable>()
  readonly #table: ValueTable
  readonly #log: ChangeLog
  readonly #retention: Retention
  #revision = 0
  #runsUserCode = false

  constructor(table: ValueTable, retention: Retention) {
    this.#table = table
    this.#retention = retention
    this.#log = new ChangeLog(retention.log)
  }

  get revision(): number {
    return this.#revision
  }

  /** Whether a variable has a type whose values a user's module checks. */
  get runsUserCode(): boolean {
    return this.#runsUserCode
  }

  define(definition: Definition): VariableInfo | Promise<VariableInfo> {
    const { name, type, constraints, description } = definition
    if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_NAME) {
      throw new BeamlineError(
        'INVALID_TYPE',
        `${shown(name)} is no variable's name: give a string of 1 to ${MAX_NAME} bytes`,
      )
    }
    this.#assertNew(name)
    checkMetadata(name, definition.metadata)
    if (description !== undefined && typeof description !== 'string')
      throw new BeamlineError('INVALID_TYPE', `${name}: description is ${shown(description)}: give a text`)
    const validator = compileValidator(name, type, constraints)
    if (!(validator instanceof Promise)) return this.#add(definition, validator)
    this.#runsUserCode = true
    return validator.then((compiled) => this.#add(definition, compiled))
  }

  #add(definition: Definition, validator: Validator): VariableInfo {
    const { name } = definition
    const id = `var_${name}_${randomBytes(8).toString('hex')}`
    const variable = new StoredVariable(id, definition, validator, this.#revision + 1, this.#retention.history)
    this.#table.write(name, variable.present.value, 0)
    this.#revision++
    this.#variables.set(name, variable)
    return variable.info()
  }

  #assertNew(name: string): void {
    if (!this.#variables.has(name)) return
    const text = `the variable '${name}' is defined already: set it, or delete it first`
    throw new BeamlineError('ALREADY_EXISTS', text, { details: { name } })
  }

  set(write: Write): Commit {
    const variable = this.#variable(write.name)
    const value = check(variable, write)
    return { changes: this.#commit([[variable, value, write]]) }
  }

  setMany(writes: readonly Write[], atomic: boolean): BatchCommit {
    const errors: Record<string, BeamlineError> = Object.create(null)
    const changes: Change[] = []
    const good: Checked[] = []
    for (const write of writes) {
      try {
        const variable = this.#variable(write.name)
        const value = check(variable, write)
        if (atomic) good.push([variable, value, write])
        else changes.push(...this.#commit([[variable, value, write]]))
      } catch (error) {
        if (!(error instanceof BeamlineError)) throw error
        errors[write.name] = error
      }
    }
    if (!atomic) return { changes, errors }
    const refused = Object.values(errors)
    if (refused.length > 0) throw batchRefused(refused, errors)
    return { changes: this.#commit(good), errors }
  }

  /** One revision for all. */
  #commit(items: readonly Checked[]): Change[] {
    if (items.length === 0) return []
    this.#publish(items)
    const revision = ++this.#revision
    const changes = items.map(([variable, value, { metadata }]) => variable.commit(value, revision, metadata))
    this.#log.append(changes)
    return changes
  }

  /** Comes first, as only this can still refuse: a value may be too large for the table. */
  #publish(items: readonly Checked[]): void {
    try {
      for (const [variable, value] of items) this.#table.write(variable.name, value, variable.present.version + 1)
    } catch (error) {
      for (const [{ name, present }] of items) this.#table.write(name, present.value, present.version)
      throw error
    }
  }

  delete(name: string): Commit {
    const variable = this.#variable(name)
    const changes = [variable.deletion(++this.#revision)]
    this.#variables.delete(name)
    this.#table.delete(name)
    this.#log.append(changes)
    return { changes }
  }

  rollback(name: string, version: number): Commit {
    const { value } = this.#variable(name).at(version)
    return this.set({ name, value, metadata: { rollbackTo: version } })
  }

  describe(name: string): VariableInfo {
    return this.#variable(name).info()
  }

  list(pattern: string): VariableInfo[] {
    if (typeof pattern !== 'string')
      throw new BeamlineError('INVALID_TYPE', `list: pattern is ${shown(pattern)}: give a text such as 'model.*'`)
    const glob = new Glob(pattern)
    return [...this.#variables.values()].filter(({ name }) => glob.matches(name)).map((variable) => variable.info())
  }

  history(name: string, limit: number): HistoryEntry[] {
    if (!(Number.isInteger(limit) && limit >= 0))
      throw new BeamlineError('INVALID_TYPE', `history: limit is ${shown(limit)}: give a whole number, 0 or more`)
    return this.#variable(name).history(limit)
  }

  since(revision: number, names: ReadonlySet<string>): readonly Change[] {
    if (!Number.isInteger(revision) || revision < 0 || revision > this.#revision) {
      const text = `sinceRevision ${shown(revision)} is no revision of this context: give a whole number from 0 to ${this.#revision}`
      throw new BeamlineError('INVALID_TYPE', text, { details: { revision, newest: this.#revision } })
    }
    return this.#log.since(revision, names)
  }

  /** The present value as a watch is first told it. */
  initial(name: string): Change {
    return this.#variable(name).initial()
  }

  #variable(name: string): StoredVariable {
    const variable = this.#variables.get(name)
    if (variable !== undefined) return variable
    throw unknownVariable(name)
  }
}

function check(variable: StoredVariable, { value, expectedVersion, metadata }: Write): unknown {
  const { name, present } = variable
  checkMetadata(name, metadata)
  if (expectedVersion !== undefined && expectedVersion !== present.version) {
    const text = `${name} has version ${present.version}, not ${shown(expectedVersion)}: read it again and decide anew`
    throw new BeamlineError('VERSION_CONFLICT', text, { details: { name, version: present.version, expectedVersion } })
  }
  return variable.validator.parse(name, value)
}

function batchRefused(
  refused: readonly BeamlineError[],
  errors: Readonly<Record<string, BeamlineError>>,
): BeamlineError {
  const first = refused[0] as BeamlineError
  const messages = Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, error.message]))
  const text = `nothing was changed, as parts of the batch were refused: ${Object.values(messages).join('; ')}`
  return new BeamlineError(first.code, text, { cause: first, details: { errors: messages } })
}
