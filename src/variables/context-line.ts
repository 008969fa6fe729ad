import type { Host } from '../actors/host.js'
import { type CallOptions, Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import { ASKED, Wire } from '../threads/wire.js'
import type { Metadata } from './change.js'
import { registered } from './context-name.js'
import { type ContextFacts, tableNow } from './facts.js'
import { Outage } from './outage.js'
import { Relay } from './relay.js'
import { naming } from './request-subject.js'
import { type ContextMessage, type ContextRequest, isHarmless, isWrite } from './requests.js'
import { SharedLog } from './shared-log.js'
import { unknownVariable, type Write } from './state.js'
import type { Home } from './upstream.js'
import { ValueTable } from './value-table.js'
import { Whereabouts } from './whereabouts.js'
import { isScalar, PUT } from './wire-ops.js'
import { undecided, type Writes, writesTo } from './writes.js'

/** Whom something was asked before, and what came of that. */
interface Refusal {
  readonly pid: Pid
  readonly error: unknown
}

/** The way of one process to a context: what it asks and tells it, and the facts it has learnt of it. */
export class ContextLine {
  readonly owner: Process
  readonly #host: Host
  readonly #given: number | undefined
  /** What this thread has sent to the process that is the context at present. */
  #writes: Writes
  readonly #wire = new Wire()
  /** What waits for the context to be started again. */
  readonly #outage: Outage
  #pid: Pid
  /** Whether nobody came in the place of that process, when it was asked for last. */
  #isGone = false
  /** What a context is called that has just been started or found. */
  readonly #named: string | undefined
  #facts: ContextFacts | undefined
  #where: Whereabouts | undefined
  #table: ValueTable | undefined
  #stopped: Promise<void> | undefined

  constructor(owner: Process, pid: Pid, { timeout }: CallOptions, id?: string) {
    this.owner = owner
    this.#host = Process.hostOf(owner)
    this.#pid = pid
    this.#given = timeout
    this.#writes = writesTo(owner, pid)
    this.#wire.op = PUT
    this.#outage = new Outage(owner)
    this.#named = id
  }

  /** The process that is the context at present. */
  get pid(): Pid {
    const { system } = this.owner
    const facts = this.#facts
    // After its end another context may have its id.
    if (facts === undefined || system.isAlive(this.#pid) || SharedLog.hasEnded(facts.log)) return this.#pid
    return system.whereis(registered(facts.key)) ?? this.#pid
  }

  /** The id, once known. */
  get id(): string {
    return this.#facts?.id ?? this.#named ?? String(this.pid)
  }

  /** Where its state lives, once known. */
  get where(): Whereabouts | undefined {
    return this.#where
  }

  /** Whether its state is known to live behind a bridge. */
  get isElsewhere(): boolean {
    return this.#where !== undefined && this.#where.link !== 'local'
  }

  /** A bridge knows how long to wait. */
  get #timeout(): number {
    return this.#given ?? (this.isElsewhere ? Number.POSITIVE_INFINITY : 5000)
  }

  /** Asks for the facts. */
  async open(): Promise<void> {
    this.#learn((await this.ask({ kind: 'open' })) as ContextFacts)
  }

  #learn(facts: ContextFacts): void {
    this.#facts = facts
    this.#where = new Whereabouts(facts.log)
    this.#table ??= ValueTable.attach(facts.table)
  }

  /** Has the state go on behind a bridge. */
  async move(home: Home): Promise<void> {
    // The bridge knows how long to wait.
    this.#assertRunning()
    this.#learn((await this.#askNow({ kind: 'move', home }, Number.POSITIVE_INFINITY)) as ContextFacts)
  }

  /** Where the modules of each namespace are. */
  async modules(): Promise<Readonly<Record<string, string>>> {
    if (this.#facts === undefined) await this.open()
    return this.#facts?.modules ?? {}
  }

  async ask(request: ContextRequest): Promise<unknown> {
    this.#assertRunning()
    return this.#isDown ? this.#askLater(request, this.#timeout) : this.#askNow(request, this.#timeout)
  }

  async #askNow(request: ContextRequest, timeout: number): Promise<unknown> {
    const pid = this.#pid
    try {
      return await this.#call(request, timeout)
    } catch (error) {
      if (!isDeath(error)) throw error
      if (!isHarmless(request)) throw isWrite(request) ? undecided(error) : error
      return this.#askLater(request, timeout, { pid, error })
    }
  }

  async #call(request: ContextRequest, timeout: number): Promise<unknown> {
    const writes = this.#writes
    const mark = ++writes.sent
    try {
      const answer = await this.owner.call(this.#pid, request, { timeout })
      writes.done(mark)
      return answer
    } catch (error) {
      throw naming(request, error)
    }
  }

  /** Writes a value: a scalar of which nothing is said by number, in a compact message. */
  set(name: string, value: unknown, metadata?: Metadata, expectedVersion?: number): Promise<unknown> {
    const plain = metadata === undefined && expectedVersion === undefined
    const number = plain ? this.#numberFor(name, value) : -1
    if (number < 0 || this.#isDown)
      return this.ask({ kind: 'set', write: writeOf(name, value, metadata, expectedVersion) })
    try {
      this.#assertRunning()
      const mark = ++this.#writes.sent
      const wire = this.#wireFor(number, value, ASKED)
      return this.#host.wires.ask(Process.cellOf(this.owner), this.#pid, wire, this.#timeout, this.#writes, mark)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Writes a value without an answer. */
  put(name: string, value: unknown, metadata?: Metadata): void {
    const number = metadata === undefined ? this.#numberFor(name, value) : -1
    if (number < 0 || this.#isDown) return this.tell({ kind: 'put', write: writeOf(name, value, metadata) })
    this.#assertRunning()
    this.#writes.sent++
    this.#host.wires.tell(Process.cellOf(this.owner), this.#pid, this.#wireFor(number, value, 0))
  }

  #wireFor(number: number, value: unknown, parts: number): Wire {
    const wire = this.#wire
    wire.parts = parts
    wire.subject = number
    wire.value = value
    return wire
  }

  /** The number of the variable to which `value` can be written in a compact message, else -1. */
  #numberFor(name: string, value: unknown): number {
    if (!isScalar(value) || this.#table === undefined || typeof name !== 'string') return -1
    return this.#table.numberOf(name)
  }

  /** A value: from shared memory, unless something that this thread has written may not be there yet. */
  async get(name: string): Promise<unknown> {
    this.#assertRunning()
    if (this.#facts === undefined) await this.open()
    if (this.#writes.areDone && !this.#isDown && !this.isElsewhere) return this.peek(name)
    const [value] = (await this.ask({ kind: 'get', names: [name] })) as [unknown]
    return value
  }

  async #askLater(request: ContextRequest, timeout: number, before?: Refusal): Promise<unknown> {
    const answer = await this.#outage.wait(this.#successor, timeout, (left) => {
      if (before?.pid.equals(this.#pid)) throw before.error
      return { reply: this.#isBetween ? this.#askLater(request, left) : this.#askNow(request, left) }
    })
    return answer.reply
  }

  /** The context is dead, or was until now and what waits for it comes first. */
  get #isDown(): boolean {
    return this.#outage.isOn || !this.owner.system.isAlive(this.#pid)
  }

  /** The process that is to come in the place of the one before has died already: there will be another. */
  get #isBetween(): boolean {
    return !this.#isGone && !this.owner.system.isAlive(this.#pid)
  }

  readonly #successor = async (): Promise<void> => {
    this.#isGone = false
    try {
      // The first may have been found already, for something that was asked at the same time.
      while (this.#isBetween) {
        const next = await this.#next()
        this.#isGone = next === undefined
        this.#pid = next ?? this.#pid
      }
    } catch (error) {
      this.#isGone = true
      throw error
    }
    this.#writes = writesTo(this.owner, this.#pid)
  }

  /** A relay that is killed while it is asked has a successor, which finds out as well. */
  async #next(): Promise<Pid | undefined> {
    for (;;) {
      const relay = Relay.of(this.owner)
      try {
        return await relay.successor(this.#pid)
      } catch (error) {
        this.owner.system.assertOpen()
        if (this.owner.system.isAlive(relay.pid)) throw error
      }
    }
  }

  tell(message: ContextMessage): void {
    this.#assertRunning()
    if (!this.#isDown) return this.#cast(message)
    this.#tellLater(message).catch((error: unknown) => {
      process.emitWarning(`context ${this.id}: put was lost: ${(error as Error).message}`, { code: 'BEAMLINE_NOPROC' })
    })
  }

  async #tellLater(message: ContextMessage): Promise<void> {
    const { told } = await this.#outage.wait(this.#successor, Number.POSITIVE_INFINITY, () => {
      if (this.#isGone) throw new Error('the context has ended')
      return { told: this.#isBetween ? this.#tellLater(message) : this.#cast(message) }
    })
    return told
  }

  #cast(message: ContextMessage): void {
    this.#writes.sent++
    try {
      this.owner.cast(this.#pid, message)
    } catch (error) {
      throw naming(message, error)
    }
  }

  /** A value, from shared memory. @throws BeamlineError NOT_FOUND */
  peek(name: string): unknown {
    this.#assertRunning()
    this.#table ??= tableNow(this.owner, this.pid)
    const found = typeof name === 'string' ? this.#table.read(name) : undefined
    if (found === undefined) throw unknownVariable(name)
    return found.value
  }

  /** Ends the context, and this way to it with the first call; one that failed may be repeated. */
  stop(): Promise<void> {
    this.#stopped ??= this.ask({ kind: 'stop' }).then(
      () => {},
      (error: unknown) => {
        // Its end is the answer, and a system that has been stopped has no contexts.
        if (error instanceof BeamlineError && (error.code === 'NOPROC' || error.code === 'STOPPED')) return
        this.#stopped = undefined
        throw error
      },
    )
    return this.#stopped
  }

  #assertRunning(): void {
    this.owner.system.assertOpen()
    if (this.#stopped !== undefined)
      throw new BeamlineError('STOPPED', `the context '${this.id}' has been stopped: start another`)
  }
}

function writeOf(name: string, value: unknown, metadata?: Metadata, expectedVersion?: number): Write {
  return {
    name,
    value,
    ...(metadata !== undefined && { metadata }),
    ...(expectedVersion !== undefined && { expectedVersion }),
  }
}

/** Whether the process that was asked is dead. */
const isDeath = (error: unknown): error is BeamlineError => error instanceof BeamlineError && error.code === 'NOPROC'
