import type { Host } from '../actors/host.js'
import type { From, KeptWire } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import { ASKED, type Wire } from '../threads/wire.js'
import type { LocalState } from './local-state.js'
import { managerHere, type ObserverActor } from './observer-actor.js'
import type { Audience } from './observer-table.js'
import { unknownVariable } from './state.js'
import type { StoredVariable } from './stored-variable.js'
import { isScalar, PUT } from './wire-ops.js'

/** Commits after which the time is asked for again, within one arrival. */
const COMMITS_A_DATE = 64

/** What else a write needs of its context. */
interface Surroundings {
  /** Before anybody hears of it. */
  written(variable: StoredVariable): void
  /** Has the observers notified, behind what waits for their manager, and then `from` answered. */
  commit(variable: StoredVariable, from: From | undefined): void
  /** Nobody waits for a write that is refused. */
  refused(error: BeamlineError): void
}

/**
 * The short way through a context, for scalars of which nothing is said: from a compact message to the commit, to the compact
 * messages of those who watch, and to the answer, without an object that is kept.
 */
export class ScalarWriter {
  readonly #self: Process
  readonly #host: Host
  readonly #state: LocalState
  readonly #surroundings: Surroundings
  #observers: ObserverActor | undefined
  /** The audience of each variable, by its number, as it was at `#generation`; null for one without. */
  #audiences: (Audience | null | undefined)[] = []
  #generation = -1
  /** The arrival that was dated last, when, and the commits since. */
  #arrival = -1
  #now = 0
  #commits = 0

  constructor(self: Process, state: LocalState, surroundings: Surroundings) {
    this.#self = self
    this.#host = Process.hostOf(self)
    this.#state = state
    this.#surroundings = surroundings
  }

  /** Takes one of another thread as it arrives. */
  take(wire: Wire): void {
    if (wire.op !== PUT) return
    const asked = (wire.parts & ASKED) !== 0
    try {
      const variable = this.#write(wire, this.#timeOfArrival())
      this.#surroundings.written(variable)
      if (!this.#notify(variable)) this.#surroundings.commit(variable, this.askerOf(wire))
      else if (asked) this.#host.wires.answer(wire, variable.version, variable.revision)
    } catch (error) {
      this.#refuse(this.askerOf(wire), error)
    }
  }

  /** Has those notified who watch a variable that has its next value. */
  notify(variable: StoredVariable): void {
    if (!isScalar(variable.value) || variable.said !== undefined || !this.#notify(variable))
      this.#surroundings.commit(variable, undefined)
  }

  /** Answers a write that was made elsewhere. @returns false when something waits here that comes before */
  answer(from: From, version: number, revision: number): boolean {
    const observers = this.#observers ?? this.#findObservers()
    if (observers === undefined || !observers.rests) return false
    this.#host.wires.reply(Process.cellOf(this.#self), from, version, revision)
    return true
  }

  /** Takes one that had to wait its turn. */
  takeLater({ wire, from }: KeptWire): void {
    if (wire.op !== PUT) return
    try {
      const variable = this.#write(wire, Date.now())
      this.#surroundings.written(variable)
      if (!this.#notify(variable)) this.#surroundings.commit(variable, from)
      else if (from !== undefined)
        this.#host.wires.reply(Process.cellOf(this.#self), from, variable.version, variable.revision)
    } catch (error) {
      this.#refuse(from, error)
    }
  }

  /** What arrives together is dated together, as to ask for the time takes as long as a commit. */
  #timeOfArrival(): number {
    const { arrivals } = this.#host
    if (arrivals !== this.#arrival || ++this.#commits > COMMITS_A_DATE) {
      this.#arrival = arrivals
      this.#commits = 0
      this.#now = Date.now()
    }
    return this.#now
  }

  #write(wire: Wire, now: number): StoredVariable {
    const variable = this.#state.numbered(wire.subject)
    if (variable === undefined) throw unknownVariable(this.#state.nameOf(wire.subject))
    this.#state.write(variable, wire.value, now)
    return variable
  }

  /** Straight to the manager of this thread. @returns false when something waits there that comes before */
  #notify(variable: StoredVariable): boolean {
    const observers = this.#observers ?? this.#findObservers()
    if (observers === undefined || !observers.rests || !isScalar(variable.previous)) return false
    if (observers.generation !== this.#generation) {
      this.#audiences = []
      this.#generation = observers.generation
    }
    const { number } = variable
    let audience = this.#audiences[number]
    if (audience === undefined) {
      audience = observers.audience(variable.id) ?? null
      this.#audiences[number] = audience
    }
    observers.changed(audience, variable)
    return true
  }

  #findObservers(): ObserverActor | undefined {
    this.#observers = managerHere(this.#self)
    return this.#observers
  }

  /** Who waits for the answer, which is now owed to him: he hears of it if the context ends before. */
  askerOf(wire: Wire): From | undefined {
    const from = this.#host.wires.askerOf(wire, this.#self.pid)
    if (from !== undefined) Process.cellOf(this.#self).ties.unanswered.add(from)
    return from
  }

  /** A refused write rejects its writer's promise and changes nothing; any other error is a fault and ends the context. */
  #refuse(from: From | undefined, error: unknown): void {
    if (!(error instanceof BeamlineError)) throw error
    if (from === undefined) this.#surroundings.refused(error)
    else this.#self.replyError(from, error)
  }
}
