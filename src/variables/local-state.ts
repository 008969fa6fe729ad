import { BeamlineError, shown } from '../errors.js'
import type { Change, HistoryEntry, VariableInfo } from './change.js'
import type { Checked } from './checked-write.js'
import { Glob } from './glob.js'
import { assertMayWrite, type Lease, leaseTo, mayRelease, type Release } from './lease.js'
import { checkMetadata } from './metadata.js'
import type { Lost } from './requests.js'
import {
  type BatchCommit,
  type Commit,
  type Definition,
  type StateProvider,
  unknownVariable,
  type Write,
} from './state.js'
import { type StateMemory, StateStore } from './state-store.js'
import { newId, StoredVariable } from './stored-variable.js'
import { compileValidator, type Validator } from './types/index.js'

/** How much of the past a context keeps. */
export interface Retention {
  /** Values kept of each variable, the present one included. */
  readonly history: number
  /** Changes kept of the whole context. */
  readonly log: number
}

const MAX_NAME = 255

/** What a {@link LocalState} is made of. */
export interface StateParts {
  readonly store: StateStore
  readonly variables: Map<string, StoredVariable>
  readonly historyLimit: number
}

/** The variables of a context, as its actor has them; all that it has acknowledged also stands in shared memory. */
export class LocalState implements StateProvider {
  readonly backend = 'local'
  readonly #variables = new Map<string, StoredVariable>()
  readonly #store: StateStore
  readonly #retention: Retention
  #runsUserCode = false

  private constructor(store: StateStore, retention: Retention) {
    this.#store = store
    this.#retention = retention
  }

  static create(retention: Retention): LocalState {
    return new LocalState(StateStore.create(retention.log), retention)
  }

  /** Where it is kept, and what there is: for copies of other contexts, which are written by no request. */
  get parts(): StateParts {
    return { store: this.#store, variables: this.#variables, historyLimit: this.#retention.history }
  }

  /**
   * The state that another thread has left behind when it died: every commit that it had published, and nothing of any
   * other. The histories begin where the log does.
   */
  static async recover(memory: StateMemory, retention: Retention): Promise<LocalState> {
    const state = new LocalState(await StateStore.recover(memory, retention.log, retention.history), retention)
    for (const variable of state.#store.variables()) {
      state.#variables.set(variable.name, variable)
      state.#runsUserCode ||= hasModule(variable.birth.definition)
    }
    return state
  }

  /** Where all that was acknowledged stands. */
  get memory(): StateMemory {
    return this.#store.memory
  }

  get revision(): number {
    return this.#store.revision
  }

  /** Whether a variable has a type whose values a user's module checks. */
  get runsUserCode(): boolean {
    return this.#runsUserCode
  }

  define(definition: Definition): VariableInfo | Promise<VariableInfo> {
    const { name, type, constraints, description } = definition
    if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > MAX_NAME) {
      const right = `give a string of 1 to ${MAX_NAME} bytes`
      throw new BeamlineError('INVALID_TYPE', `${shown(name)} is no variable's name: ${right}`)
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

  #add({ initial, metadata, ...definition }: Definition, validator: Validator): VariableInfo {
    const { name } = definition
    const value = validator.parse(name, initial)
    const id = newId(name)
    const number = this.#store.nextNumber()
    const birth = { number, id, createdAt: Date.now(), revision: this.revision + 1, definition }
    const variable = new StoredVariable(birth, validator, this.#retention.history)
    this.#store.define(variable, value, metadata)
    this.#variables.set(name, variable)
    return variable.info()
  }

  #assertNew(name: string): void {
    if (!this.#variables.has(name)) return
    const text = `the variable '${name}' is defined already: set it, or delete it first`
    throw new BeamlineError('ALREADY_EXISTS', text, { details: { name } })
  }

  set(write: Write): Commit {
    const variable = this.named(write.name)
    this.#store.write(variable, check(variable, write), Date.now(), write.metadata)
    return { changes: [variable.change()] }
  }

  /**
   * A write of which its writer says nothing: allocates nothing for a scalar. The variable has then the version, the
   * revision and the previous value.
   * @param now the time of the commit
   */
  write(variable: StoredVariable, value: unknown, now: number): void {
    if (variable.lease !== undefined) assertMayWrite(variable)
    this.#store.write(variable, variable.validator.parse(variable.name, value), now, undefined)
  }

  /** The variable with this number, as long as it is there. */
  numbered(number: number): StoredVariable | undefined {
    const variable = this.#store.variable(number)
    return variable !== undefined && variable.entry >= 0 ? variable : undefined
  }

  /** The name that the variable with this number had, if it is known. */
  nameOf(number: number): string {
    return this.#store.variable(number)?.name ?? `number ${number}`
  }

  setMany(writes: readonly Write[], atomic: boolean): BatchCommit {
    const errors: Record<string, BeamlineError> = Object.create(null)
    const changes: Change[] = []
    const good = new Map<StoredVariable, Checked>()
    for (const write of writes) {
      try {
        const variable = this.named(write.name)
        if (atomic) good.set(variable, { variable, value: check(variable, write), said: write.metadata })
        else changes.push(...this.set(write).changes)
      } catch (error) {
        if (!(error instanceof BeamlineError)) throw error
        errors[write.name] = error
      }
    }
    if (!atomic) return { changes, errors }
    const refused = Object.values(errors)
    if (refused.length > 0) throw batchRefused(refused, errors)
    if (good.size > 0) this.#store.writeAll([...good.values()], Date.now())
    return { changes: [...good.keys()].map((variable) => variable.change()), errors }
  }

  delete(name: string): Commit {
    const variable = this.named(name)
    assertMayWrite(variable)
    const { value, version } = variable
    const now = Date.now()
    this.#store.delete(variable, now)
    this.#variables.delete(name)
    return { changes: [variable.deletion(value, this.revision, version, now)] }
  }

  rollback(name: string, version: number): Commit {
    const { value } = this.named(name).at(version)
    return this.set({ name, value, metadata: { rollbackTo: version } })
  }

  /** @throws BeamlineError NOT_FOUND, LOCKED, INVALID_TYPE */
  lease(name: string, holder: string): Lease {
    const variable = this.named(name)
    // Numbers count up for as long as the context lives, whatever they are given to.
    return this.#leased(
      variable,
      leaseTo(variable, holder, () => this.#store.nextNumber()),
    )
  }

  /** Says whether there was a lease. @throws BeamlineError NOT_FOUND, LOCKED */
  release(name: string, how: Release): boolean {
    const variable = this.named(name)
    if (!mayRelease(variable, how)) return false
    this.#leased(variable, undefined)
    return true
  }

  /** What cannot be kept is not so. */
  #leased<T extends Lease | undefined>(variable: StoredVariable, lease: T): T {
    const before = variable.lease
    variable.lease = lease
    try {
      this.#store.save(variable)
    } catch (error) {
      variable.lease = before
      throw error
    }
    return lease
  }

  describe(name: string): VariableInfo {
    return this.named(name).info()
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
    return this.named(name).history(limit)
  }

  since(revision: number, names: ReadonlySet<string>): readonly Change[] {
    if (!Number.isInteger(revision) || revision < 0 || revision > this.revision) {
      const text = `sinceRevision ${shown(revision)} is no revision of this context: give a whole number from 0 to ${this.revision}`
      throw new BeamlineError('INVALID_TYPE', text, { details: { revision, newest: this.revision } })
    }
    return [...this.#store.since(revision, ({ name }) => names.has(name))]
  }

  /** Those of some variables that are there, by their ids. */
  identified(ids: ReadonlySet<string>): { readonly id: string; readonly name: string }[] {
    return this.#store.variables().flatMap(({ id, name }) => (ids.has(id) ? [{ id, name }] : []))
  }

  /**
   * The changes of some variables, by their ids, after a revision; or, where they are no longer all kept, the present
   * values that make up for them, and what was lost.
   */
  after(revision: number, ids: ReadonlySet<string>): { readonly changes: Change[]; readonly lost: Lost | undefined } {
    // A revision that is still to come is one of another life.
    if (revision <= this.revision && this.#store.keepsAllAfter(revision))
      return { changes: [...this.#store.since(revision, ({ id }) => ids.has(id))], lost: undefined }
    const present = this.identified(ids).map(({ name }) => this.initial(name))
    const changes = present.map(({ meta, ...rest }) => ({ ...rest, meta: { ...meta, resync: true } }))
    const reason = 'the thread of the context died, and its log no longer tells of them'
    return { changes, lost: { reason, lostFrom: revision + 1, lostTo: this.revision } }
  }

  /** The present value as a watch is first told it. */
  initial(name: string): Change {
    return this.named(name).initial()
  }

  /** @throws BeamlineError NOT_FOUND */
  named(name: string): StoredVariable {
    const variable = this.#variables.get(name)
    if (variable !== undefined) return variable
    throw unknownVariable(name)
  }
}

function check(variable: StoredVariable, { value, expectedVersion, metadata }: Write): unknown {
  const { name, version } = variable
  checkMetadata(name, metadata)
  assertMayWrite(variable, metadata)
  if (expectedVersion !== undefined && expectedVersion !== version) {
    const text = `${name} has version ${version}, not ${shown(expectedVersion)}: read it again and decide anew`
    throw new BeamlineError('VERSION_CONFLICT', text, { details: { name, version, expectedVersion } })
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

const hasModule = ({ type }: Pick<Definition, 'type'>): boolean => typeof type !== 'string' && type.module !== undefined
