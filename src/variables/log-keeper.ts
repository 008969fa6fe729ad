import type { DefinitionTable } from './definition-table.js'
import type { SharedLog } from './shared-log.js'
import type { StoredVariable } from './stored-variable.js'

/** What has to be done for a log to go on: what only the half knows that it drops must be saved before. */
export class LogKeeper {
  readonly #log: SharedLog
  readonly #definitions: DefinitionTable
  /** Deleted variables among them, as long as the log tells of them. */
  readonly #variables: Map<number, StoredVariable>
  /** Deleted variables and the commits that did it, oldest first. */
  readonly #dead: { readonly variable: StoredVariable; readonly revision: number }[] = []
  /** Variables of which more was said than their definitions have, and only the log knows it. */
  readonly #unsaved = new Set<StoredVariable>()

  constructor(log: SharedLog, definitions: DefinitionTable, variables: Map<number, StoredVariable>) {
    this.#log = log
    this.#definitions = definitions
    this.#variables = variables
  }

  /** Room for a commit. @throws BeamlineError OVERFLOW */
  reserve(units: number): void {
    if (this.#log.isFull(units)) this.#turn()
    this.#log.reserve(units)
  }

  /** More was said of a variable than its definition has. */
  unsaved(variable: StoredVariable): void {
    this.#unsaved.add(variable)
  }

  /** Keeps what a definition has besides the log. @throws BeamlineError OVERFLOW */
  save(variable: StoredVariable): void {
    this.#definitions.save(variable, this.#log.revision)
    this.#unsaved.delete(variable)
  }

  /** A commit has deleted a variable. */
  bury(variable: StoredVariable, revision: number): void {
    variable.entry = -1
    this.#unsaved.delete(variable)
    this.#dead.push({ variable, revision })
  }

  /** Deletions were told out of order. */
  sort(): void {
    this.#dead.sort((a, b) => a.revision - b.revision)
  }

  /** Forgets a variable of which the log is not to tell. */
  abandon(variable: StoredVariable): void {
    this.#unsaved.delete(variable)
    variable.entry = -1
    this.#forget(variable)
  }

  /** The log forgets what it has: the next commit follows on `revision`. What it alone knew must have been saved. */
  restart(revision: number): void {
    for (const { variable } of this.#dead.splice(0)) this.#forget(variable)
    this.#unsaved.clear()
    this.#log.restart(revision)
  }

  #turn(): void {
    const { revision: now, dropping } = this.#log
    for (const variable of this.#unsaved) this.#definitions.save(variable, now)
    this.#unsaved.clear()
    const gone = this.#dead.filter(({ revision }) => revision <= dropping)
    for (const { variable, revision } of gone) this.#definitions.save(variable, now, revision)
    this.#log.turn()
    for (const { variable } of gone) this.#forget(variable)
    this.#dead.splice(0, gone.length)
  }

  #forget({ number }: StoredVariable): void {
    this.#definitions.delete(number)
    this.#variables.delete(number)
  }
}
