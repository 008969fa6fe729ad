import type { From } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import type { BeamlineError } from '../errors.js'
import { adopted, type OwnType } from './adoption.js'
import { type Change, metaOf, type VariableInfo } from './change.js'
import { wholeState } from './feed-start.js'
import type { StateParts } from './local-state.js'
import type { ManagerMessage } from './requests.js'
import type { CommitEvent, NumberedInfo, SessionState } from './session-state.js'
import { newId, type StoredVariable } from './stored-variable.js'
import { sameValue } from './types/index.js'
import type { Copy } from './upstream.js'
import { unsaid } from './value-history.js'
import { Whereabouts } from './whereabouts.js'

/** What else a copy needs of its context. */
interface Surroundings {
  readonly self: Process
  readonly id: string
  /** Tells the observer manager. */
  tell(message: ManagerMessage): void
  /** One variable has its next value: whoever watches it is told. */
  committed(variable: StoredVariable): void
  /** Nobody waits for a write that is refused. */
  refused(error: BeamlineError): void
  end(error: BeamlineError): void
}

/** The copy of a session, as the context keeps it that lives there: written by what happened, not by requests. */
export class ContextCopy implements Copy {
  readonly #parts: StateParts
  readonly #around: Surroundings
  /** By the number that they have in the session. */
  readonly #numbered = new Map<number, StoredVariable>()
  /** Types that only this side knows, of variables that are to be. */
  readonly #own = new Map<string, OwnType>()
  readonly whereabouts: Whereabouts

  constructor(parts: StateParts, around: Surroundings) {
    this.#parts = parts
    this.#around = around
    this.whereabouts = new Whereabouts(parts.store.memory.log)
  }

  /** Finds what is there: whoever feeds it goes on from that. */
  open(): void {
    this.#numbered.clear()
    for (const variable of this.#parts.variables.values()) this.#number(variable)
  }

  #number(variable: StoredVariable): void {
    this.#numbered.set(variable.birth.elsewhere?.number ?? variable.number, variable)
  }

  get id(): string {
    return this.#around.id
  }

  get incarnation(): string {
    return this.#parts.store.log.incarnation
  }

  get revision(): number {
    return this.#parts.store.revision
  }

  /** With the numbers and ids that the variables have in the session. */
  state(): SessionState {
    const { variables, ...rest } = wholeState(this.#parts)
    const there = (name: string) => this.#parts.variables.get(name)?.birth.elsewhere
    return { ...rest, variables: variables.map((info) => ({ ...info, ...there(info.name) })) }
  }

  moved({ variables }: SessionState): void {
    const { store } = this.#parts
    for (const { name, number, id } of variables) {
      const variable = this.#parts.variables.get(name)
      if (variable === undefined) continue
      variable.birth = { ...variable.birth, elsewhere: { number, id } }
      // Who has it is known there.
      variable.lease = undefined
      store.save(variable)
    }
    this.open()
  }

  apply(events: readonly CommitEvent[]): void {
    for (let at = 0; at < events.length; ) {
      let end = at
      while ((events[end++] as CommitEvent).more && end < events.length);
      this.#commit(events.slice(at, end))
      at = end
    }
  }

  #commit(events: readonly CommitEvent[]): void {
    const [{ op, revision, timestamp }] = events as [CommitEvent]
    if (revision !== this.revision + 1) throw new Error(`revision ${revision} does not follow on ${this.revision}`)
    if (op === 'define') return this.#define(events[0] as CommitEvent)
    if (op === 'delete') return this.#delete(events[0] as CommitEvent)
    const { store } = this.#parts
    if (events.length === 1) {
      const [{ number, value, said }] = events as [CommitEvent]
      const variable = this.#variable(number)
      store.write(variable, value, timestamp, said)
      return this.#around.committed(variable)
    }
    const all = events.map(({ number, value, said }) => ({ variable: this.#variable(number), value, said }))
    store.writeAll(all, timestamp)
    this.#around.tell({ kind: 'commit', changes: all.map(({ variable }) => variable.change()), answer: undefined })
  }

  #variable(number: number): StoredVariable {
    const variable = this.#numbered.get(number)
    if (variable === undefined) throw new Error(`no variable has the number ${number}`)
    return variable
  }

  #define({ info, value, said }: CommitEvent): void {
    const { store, variables } = this.#parts
    const variable = this.#make(info as NumberedInfo)
    // Its first commit gives it what it has.
    const fresh = variable.newborn()
    this.#own.delete(fresh.name)
    store.define(fresh, value, said)
    variables.set(fresh.name, fresh)
    this.#number(fresh)
    this.#track(fresh)
  }

  #delete({ number, timestamp }: CommitEvent): void {
    const { store, variables } = this.#parts
    const variable = this.#variable(number)
    const { value, version, id, name } = variable
    store.delete(variable, timestamp)
    variables.delete(name)
    this.#numbered.delete(number)
    const change = variable.deletion(value, this.revision, version, timestamp)
    this.#around.tell({ kind: 'commit', changes: [change], answer: undefined })
    this.#around.tell({ kind: 'untrack', id, context: this.#around.self.pid })
  }

  #track({ id, name }: StoredVariable): void {
    this.#around.tell({ kind: 'track', id, name, context: this.#around.self.pid })
  }

  /** Under its number and id, or, in the place of `old`, under those. */
  #make(info: NumberedInfo, old?: StoredVariable): StoredVariable {
    const { store, historyLimit } = this.#parts
    const number = old?.number ?? store.numberFor(info.number)
    const elsewhere = { number: info.number, id: info.id }
    const own = this.#own.get(info.name) ?? (old && { type: old.birth.definition.type, validator: old.validator })
    return adopted(info, historyLimit, undefined, { number, id: old?.id ?? newId(info.name), elsewhere }, own)
  }

  /** Whether something after a revision is not in the log of the copy, as that begins later. */
  lacks(revision: unknown): revision is number {
    return (
      Number.isInteger(revision) && (revision as number) >= 0 && (revision as number) < this.#parts.store.log.compacted
    )
  }

  /** Commits of the session from before the copy began, as watches of some variables are told them. */
  told(events: readonly CommitEvent[], names: ReadonlySet<string>): Change[] {
    return events.flatMap(({ op, number, value, previous, said, revision, version, timestamp }) => {
      const variable = op === 'set' ? this.#numbered.get(number) : undefined
      if (variable === undefined || !names.has(variable.name)) return []
      const meta = metaOf(said ?? unsaid, { initial: false, resync: false, revision, version, timestamp })
      return [{ id: variable.id, name: variable.name, previous, value, meta }]
    })
  }

  become(state: SessionState, reason: string): void {
    const { store, variables } = this.#parts
    const lost = { reason, lostFrom: this.revision + 1, lostTo: state.revision }
    const isSameLife = this.incarnation === state.incarnation
    // Should this thread die before all is done, its successor knows that it has nothing to go on from.
    store.log.incarnation = ''
    const changes: Change[] = []
    const here = new Map(state.variables.map((info) => [info.name, info]))
    for (const old of [...variables.values()]) {
      const info = here.get(old.name)
      if (info === undefined || (isSameLife && isAnother(old, info))) changes.push(this.#vanish(old, state.revision))
    }
    this.#numbered.clear()
    for (const info of state.variables) {
      const old = variables.get(info.name)
      const variable = this.#make(info, old)
      store.adopt(variable)
      variables.set(info.name, variable)
      this.#number(variable)
      if (old === undefined) this.#track(variable)
      else if (old.version !== variable.version || !sameValue(old.value, variable.value))
        changes.push(madeUpFor(old, variable))
    }
    store.restart(state.revision)
    store.log.incarnation = state.incarnation
    const { self, tell } = this.#around
    tell({ kind: 'resync', context: self.pid, changes, revision: state.revision, lost })
    for (const { id, meta } of changes) if (meta.deleted) tell({ kind: 'untrack', id, context: self.pid })
  }

  #vanish(old: StoredVariable, revision: number): Change {
    const { store, variables } = this.#parts
    const change = old.deletion(old.value, revision, old.version, Date.now())
    variables.delete(old.name)
    store.abandon(old)
    return { ...change, meta: { ...change.meta, resync: true } }
  }

  /** A variable will be defined by a type that only this side knows. */
  expect(name: string, own: OwnType | undefined): void {
    if (own === undefined) this.#own.delete(name)
    else this.#own.set(name, own)
  }

  check(name: string, value: unknown): unknown {
    const validator = this.#parts.variables.get(name)?.validator
    return validator === undefined || validator.type === validator.base ? value : validator.parse(name, value)
  }

  described(name: string): VariableInfo | undefined {
    return this.#parts.variables.get(name)?.info()
  }

  answer(from: From | undefined, value: unknown, error?: BeamlineError): void {
    if (from === undefined) return error && this.#around.refused(error)
    if (error !== undefined) return this.#around.self.replyError(from, error)
    this.#around.tell({ kind: 'commit', changes: [], answer: { from, value } })
  }

  end(error: BeamlineError): void {
    this.#around.end(error)
  }
}

/** One that was moved there has another id than it had here. */
function isAnother({ birth: { elsewhere } }: StoredVariable, { id }: NumberedInfo): boolean {
  return elsewhere !== undefined && elsewhere.id !== id
}

function madeUpFor(old: StoredVariable, variable: StoredVariable): Change {
  const { meta, ...rest } = variable.initial()
  return { ...rest, previous: old.value, meta: { ...meta, initial: false, resync: true } }
}
